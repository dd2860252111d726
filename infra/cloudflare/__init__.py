"""The tunnel: asked about before anything changes, its routes one list, its end ours."""
