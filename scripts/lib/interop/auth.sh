# Who kimg is at a registry, and whom it trusts.

section_auth() {
    local program
    check "a registry that wants a password starts" auth_server
    check "nobody: 4, and how to log in" refuses 4 'log ?in' "$kimg" copy "oci:$work/foreign/single:x" "docker://${registry_at[locked]}/auth/single:x"
    check "login with a wrong password: 4" auth_login_wrong
    check "login, the password from stdin only" auth_login
    check "the file is for its owner only, and has no plain password" auth_file
    registry_user=user:secret check "kimg pushes with it" pushes kimg single locked
    check "skopeo reads with it" skopeo inspect --tls-verify=false --raw "docker://${registry_at[locked]}/kimg/single:x"
    check "podman takes it for a login" same user "$(podman login --get-login "${registry_at[locked]}" 2>&1)"
    check "another folder's file, by --authfile" auth_by_file
    check "logout: nobody again" auth_logout
    check "what skopeo login wrote is read" auth_by_skopeo
    check "what docker login wrote is read" auth_by_docker
    check "--dest-creds and --src-creds" auth_by_flags
    check "a wrong password by --dest-creds: 4, and it is nowhere to be read" auth_by_wrong_flags
    check "a credential helper is asked" auth_by_helper
    check "a tag that there is not is not found, though a password is needed: 5" auth_not_found
    tls
    tokens
}

auth_server() {
    # Debian's perl has the crypt that distribution wants.
    perl -e 'print "user:", crypt("secret", q($2y$05$abcdefghijklmnopqrstuu)), "\n"' >"$work/htpasswd"
    registry_start locked registry '' "auth: {htpasswd: {realm: locked, path: $work/htpasswd}}" && plain_http "${registry_at[locked]}"
}

log_in() { # PASSWORD PROGRAM...
    printf '%s' "$1" | "${@:2}" --username user --password-stdin "${registry_at[locked]}"
}

auth_login_wrong() {
    printf wrong | refuses 4 'password|credentials' "$kimg" login --username user --password-stdin "${registry_at[locked]}" || return
    ! grep -r wrong "$XDG_RUNTIME_DIR/containers" "$HOME" 2>/dev/null
}

auth_login() { log_in secret "$kimg" login; }

auth_file() {
    local file
    file=$(grep -rl "${registry_at[locked]}" "$XDG_RUNTIME_DIR" "$HOME" --include=auth.json) || return
    same 600 "$(stat -c %a "$file")" && ! grep secret "$file"
}

auth_logout() {
    "$kimg" logout "${registry_at[locked]}" || return
    refuses 4 'log ?in' "$kimg" copy "docker://${registry_at[locked]}/kimg/single:x" "oci:$work/auth.none:x"
}

auth_by_file() {
    log_in secret "$kimg" login --authfile "$work/other.json" || return
    HOME=$work/nobody XDG_RUNTIME_DIR=$work/nobody "$kimg" copy --authfile "$work/other.json" "docker://${registry_at[locked]}/kimg/single:x" "oci:$work/auth.file:x" || return
    HOME=$work/nobody XDG_RUNTIME_DIR=$work/nobody REGISTRY_AUTH_FILE=$work/other.json "$kimg" copy "docker://${registry_at[locked]}/kimg/single:x" "oci:$work/auth.file:y"
}

auth_by_skopeo() {
    log_in secret skopeo login --tls-verify=false || return
    "$kimg" copy "docker://${registry_at[locked]}/kimg/single:x" "oci:$work/auth.skopeo:x" || return
    skopeo logout "${registry_at[locked]}"
}

auth_by_docker() {
    mkdir -p "$HOME/.docker"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "${registry_at[locked]}" "$(printf user:secret | base64)" >"$HOME/.docker/config.json"
    "$kimg" copy "docker://${registry_at[locked]}/kimg/single:x" "oci:$work/auth.docker:x"
    local result=$?
    rm "$HOME/.docker/config.json"
    return $result
}

auth_by_flags() {
    local at=${registry_at[locked]}/auth
    "$kimg" copy --dest-creds user:secret "oci:$work/foreign/index:x" "docker://$at/flags:x" || return
    "$kimg" copy --src-creds user:secret "docker://$at/flags:x" "oci:$work/auth.flags:x" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_in "$work/auth.flags")"
}

auth_by_wrong_flags() {
    refuses 4 'password|credentials' "$kimg" copy -v --dest-creds user:verysecret "oci:$work/foreign/index:x" "docker://${registry_at[locked]}/auth/wrong:x" || return
    ! grep -F -e verysecret -e "$(printf user:verysecret | base64)" "$work/refused"
}

auth_by_helper() {
    mkdir -p "$work/bin" "$HOME/.docker"
    cat >"$work/bin/docker-credential-interop" <<'SH'
#!/bin/sh
[ "$1" = get ] && printf '{"ServerURL":"%s","Username":"user","Secret":"secret"}' "$(cat)"
SH
    chmod +x "$work/bin/docker-credential-interop"
    printf '{"credHelpers":{"%s":"interop"}}' "${registry_at[locked]}" >"$HOME/.docker/config.json"
    PATH=$work/bin:$PATH "$kimg" copy "docker://${registry_at[locked]}/kimg/single:x" "oci:$work/auth.helper:x"
    local result=$?
    rm "$HOME/.docker/config.json"
    return $result
}

auth_not_found() {
    refuses 5 'none' "$kimg" copy --src-creds user:secret "docker://${registry_at[locked]}/kimg/single:none" "oci:$work/auth.none:x"
}

# ---- certificates --------------------------------------------------------------------------------------------------
tls() {
    check "a registry with a certificate of its own authority starts" tls_server
    check "an unknown issuer: 4, and where its certificate goes" refuses 4 'certs\.d' "$kimg" copy "oci:$work/foreign/single:x" "docker://$secure/tls/single:x"
    check "--dest-tls-verify=false takes it" "$kimg" copy --dest-tls-verify=false "oci:$work/foreign/single:x" "docker://$secure/tls/unverified:x"
    check "certs.d of containers has it: it is trusted" tls_trusted
    check "skopeo reads what was pushed, by the same folder" same "$(digest_in "$work/foreign/single")" \
        "sha256:$(skopeo inspect --raw "docker://$secure/tls/single:x" | sha256sum | cut -d' ' -f1)"
    check "a name that the certificate has not: 4" refuses 4 'certificate' "$kimg" copy "oci:$work/foreign/single:x" "docker://${secure/registry.example/other.example}/tls/single:x"
    check "without TLS on another machine: 4, and the flag" tls_plain
    check "with a client's certificate" tls_mutual
}

authority() { # NAME: an authority, and a certificate of registry.example by it
    local folder=$work/tls/$1
    mkdir -p "$folder" && (
        cd "$folder" || exit
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj "/CN=$1 authority" -days 2 -addext basicConstraints=critical,CA:TRUE
        openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=registry.example
        printf 'subjectAltName=DNS:registry.example\nextendedKeyUsage=serverAuth,clientAuth\n' >extensions
        openssl x509 -req -in request.pem -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out certificate.pem
    ) >/dev/null 2>&1
}

tls_server() {
    authority server && authority client || return
    registry_address=10.210.7.1 registry_host=registry.example registry_start tls registry \
        "  tls: {certificate: $work/tls/server/certificate.pem, key: $work/tls/server/key.pem}" || return
    secure=${registry_at[tls]}
    registry_address=10.210.7.1 registry_host=registry.example registry_start mutual registry \
        "  tls: {certificate: $work/tls/server/certificate.pem, key: $work/tls/server/key.pem, clientcas: [$work/tls/client/ca.crt]}" || return
    registry_address=10.210.7.1 registry_host=registry.example registry_start plain registry
}

trusted() { # HOST:PORT: its folder of certificates
    echo "$HOME/.config/containers/certs.d/$1"
}

tls_trusted() {
    mkdir -p "$(trusted "$secure")" "$(trusted "${secure/registry.example/other.example}")"
    cp "$work/tls/server/ca.crt" "$(trusted "$secure")/ca.crt"
    cp "$work/tls/server/ca.crt" "$(trusted "${secure/registry.example/other.example}")/ca.crt"
    "$kimg" copy "oci:$work/foreign/single:x" "docker://$secure/tls/single:x"
}

tls_plain() {
    refuses 4 'tls-verify=false|plain-http' "$kimg" copy "oci:$work/foreign/single:x" "docker://${registry_at[plain]}/tls/single:x" || return
    "$kimg" copy --dest-tls-verify=false "oci:$work/foreign/single:x" "docker://${registry_at[plain]}/tls/single:x"
}

tls_mutual() {
    local at=${registry_at[mutual]}
    mkdir -p "$(trusted "$at")" && cp "$work/tls/server/ca.crt" "$(trusted "$at")/ca.crt"
    refuses 4 'certificate' "$kimg" copy "oci:$work/foreign/single:x" "docker://$at/mutual/single:x" || return
    cp "$work/tls/client/certificate.pem" "$(trusted "$at")/client.cert"
    cp "$work/tls/client/key.pem" "$(trusted "$at")/client.key"
    "$kimg" copy "oci:$work/foreign/single:x" "docker://$at/mutual/single:x"
}

# ---- tokens ----------------------------------------------------------------------------------------------------------
tokens() {
    check "a registry with a token server starts" token_server
    check "a token server elsewhere gets no password before the configuration names it: 4" tokens_elsewhere
    check "the configuration names it" tokens_named
    check "kimg pushes with a token" tokens_push
    check "it asked for that repository only" tokens_scope
    check "the password was given to the token server, never to the registry" tokens_password
    check "nobody may read what is open" tokens_open
    check "nobody may not push: 4" refuses 4 'log ?in|allowed' "$kimg" copy "oci:$work/foreign/single:x" "docker://${registry_at[tokens]}/open/other:x"
    check "a mount between two repositories, with one token for both or without it" tokens_mount
}

token_server() {
    local folder=$work/token
    mkdir -p "$folder"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/certificate.pem" -subj /CN=token.example -days 2 2>/dev/null || return
    python3 scripts/lib/token_server.py "$folder" 2>"$folder/log" &
    eventually 10 test -s "$folder/address" || return
    registry_start tokens registry '' "auth: {token: {realm: 'http://$(cat "$folder/address")/token', service: interop, issuer: token.example, rootcertbundle: $folder/certificate.pem}}" &&
        plain_http "${registry_at[tokens]}"
}

tokens_elsewhere() {
    refuses 4 'token-server' "$kimg" copy --dest-creds user:secret "oci:$work/foreign/index:x" "docker://${registry_at[tokens]}/open/index:x" || return
    ! grep '"user": "user"' "$work/token/asked"
}

tokens_named() {
    mkdir -p "$HOME/.config/kimg"
    printf '[registry."%s"]\ntoken-server = "http://%s"\n' "${registry_at[tokens]}" "$(cat "$work/token/address")" >"$HOME/.config/kimg/config.toml"
}

tokens_push() {
    "$kimg" copy --dest-creds user:secret "oci:$work/foreign/index:x" "docker://${registry_at[tokens]}/open/index:x" || return
    "$kimg" copy --src-creds user:secret "docker://${registry_at[tokens]}/open/index:x" "oci:$work/tokens:x" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_in "$work/tokens")"
}

tokens_scope() {
    grep '"user": "user".*repository:open/index:pull,push' "$work/token/asked" || return
    ! grep 'scope' "$work/token/asked" | grep -v 'repository:open/index:pull'
}

tokens_password() {
    # The access log names who came by Basic.
    grep '"user": "user"' "$work/token/asked" || return
    ! grep -E '^[^ ]+ - user ' "$work/registry/tokens/requests"
}

tokens_open() {
    "$kimg" copy "docker://${registry_at[tokens]}/open/index:x" "oci:$work/tokens.open:x"
}

tokens_mount() {
    local at=${registry_at[tokens]}
    "$kimg" copy --src-creds user:secret --dest-creds user:secret "docker://$at/open/index:x" "docker://$at/mounted/index:x" || return
    "$kimg" copy --src-creds user:secret "docker://$at/mounted/index:x" "oci:$work/tokens.mounted:x"
    same "$(digest_in "$work/foreign/index")" "$(digest_in "$work/tokens.mounted")" || return
    grep -E '"POST [^"]*mount=[^"]*" 201' "$work/registry/tokens/requests"
}
