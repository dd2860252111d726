# Lets in whom stdin lists, one public key a line. After a line --- stands root's password, if any.
# Keys that were put there by hand stay; those that came from here and are no longer listed go.
set -eu
umask 077
keys='' password=''
while IFS= read -r line && [ "$line" != --- ]; do
    keys="$keys$line
"
done
IFS= read -r password || :

directory=/root/.ssh
file=$directory/authorized_keys
mkdir -p "$directory"
[ -e "$file" ] || : >"$file"
next=$(mktemp "$file.XXXXXX")
trap 'rm -f "$next"' EXIT
printf '%s' "$keys" | awk '
    NR == FNR { wanted[$2] = 1; block = block $0 "\n"; next }
    $0 == "# --- BEGIN berth ---" { inside = 1 }
    !inside { for (i = 1; i <= NF; i++) if ($i in wanted) next; print }
    $0 == "# --- END berth ---" { inside = 0 }
    END { printf "# --- BEGIN berth ---\n%s# --- END berth ---\n", block }
' - "$file" >"$next"
if cmp -s "$next" "$file"; then
    keys_are=unchanged
else
    chmod 600 "$next"
    mv "$next" "$file"
    keys_are=changed
fi

password_is=unchanged
has_password() {
    printf '%s' "$password" | perl -e '
        $/ = undef; $given = <STDIN>; $known = (getpwuid(0))[1];
        exit(crypt($given, $known) eq $known ? 0 : 1);'
}
if [ -n "$password" ] && ! has_password; then
    printf 'root:%s\n' "$password" | chpasswd
    password_is=changed
fi
echo "keys $keys_are, password $password_is"
