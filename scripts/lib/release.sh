# Release archives of real jars in upstream's layout, signed by a key of the test's own, on a server of this machine. Sourced
# by scripts, which set $work and $kimg.

# release_publish FAMILY VERSION: makes the archive of the jars below $work/jars/FAMILY, publishes it below $work/apache, and
# writes definitions below $work/images whose lock and keys are those of the test.
release_publish() {
    local family=$1 version=$2 archive jars path top
    mkdir -p "$work/images" "$work/gnupg" && chmod 700 "$work/gnupg" || return
    [ -d "$work/images/keys" ] || cp -r images/base images/keys images/kafka images/zookeeper "$work/images/" || return
    archive=$(sed -n '/^\[archive\]/,/^$/s/^path = "\(.*\)"/\1/p' "images/$family/$version.lock.toml")
    path=$work/apache/$archive
    jars=$(sed -n 's/^jars = "\(.*\)"/\1/p' "images/$family/image.toml" | sed "s/{version}/$version/g")
    top=${jars%%/*}
    mkdir -p "$work/release/$jars" "$(dirname "$path")" || return
    # The agent of the metrics port is no part of a release.
    find "$work/jars/$family" -name '*.jar' ! -name 'jmx_prometheus_javaagent-*' -exec cp {} "$work/release/$jars/" \;
    echo 'a licence' >"$work/release/$top/LICENSE"
    tar -C "$work/release" -czf "$path" "$top" || return
    release_gpg --quick-generate-key "Release Manager <release@mirror.example>" rsa3072 sign 2>/dev/null
    release_gpg --armor --output "$path.asc" --detach-sign "$path" || return
    (cd "$(dirname "$path")" && sha512sum "$(basename "$path")" >"$path.sha512") || return
    release_gpg --armor --export >>"$work/images/keys/$family.asc" || return
    local fingerprint
    fingerprint=$(release_gpg --list-keys --with-colons | sed -n 's/^fpr:*\([0-9A-F]*\):$/\1/p' | head -n 1)
    sed -i "/^\[archive\]/,/^$/{s/^digest = .*/digest = \"sha512:$(sha512sum <"$path" | cut -d' ' -f1)\"/;s/^signer = .*/signer = \"$fingerprint\"/}" \
        "$work/images/$family/$version.lock.toml"
}

release_gpg() {
    gpg --homedir "$work/gnupg" --batch --quiet --pinentry-mode loopback --passphrase '' "$@"
}

# release_serve: serves $work/apache; sets $apache (its URL) and $release_server (its process).
release_serve() {
    python3 -u -m http.server --bind 127.0.0.1 --directory "$work/apache" 0 >"$work/apache.log" 2>&1 &
    release_server=$!
    eventually 10 grep -q 'Serving HTTP' "$work/apache.log" || return
    apache=http://127.0.0.1:$(sed -n 's/^Serving HTTP on [^ ]* port \([0-9]*\).*/\1/p' "$work/apache.log")/
    export no_proxy="${no_proxy:+$no_proxy,}127.0.0.1"
}

# release_stop: ends the server and gpg's agent.
release_stop() {
    [ -z "${release_server:-}" ] || kill "$release_server" 2>/dev/null
    [ ! -d "$work/gnupg" ] || gpgconf --homedir "$work/gnupg" --kill all
}
