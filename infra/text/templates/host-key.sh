# Shows the host's own public key, the best of those that it has.
set -eu
for kind in ed25519 ecdsa rsa; do
    file=/etc/ssh/ssh_host_${kind}_key.pub
    if [ -f "$file" ]; then
        exec cut -d ' ' -f 1,2 "$file"
    fi
done
echo "no host key below /etc/ssh: is OpenSSH's server what answers here?" >&2
exit 1
