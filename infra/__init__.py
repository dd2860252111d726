"""What a stack is made of: settings, and the components that turn them into resources."""
