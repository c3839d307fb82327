# Peers that Debian has not, or has old ones of only: built from their modules, once, below the target folder. Sourced by scripts.
go_tools=${CARGO_TARGET_DIR:-$PWD/target}/tools
PATH=$go_tools/bin:$PATH

# The versions that scripts/interop was last seen to pass with.
go_modules=(
    crane github.com/google/go-containerregistry/cmd/crane v0.22.1
    regctl github.com/regclient/regclient/cmd/regctl v0.11.7
    oras oras.land/oras/cmd/oras v1.3.6
    registry github.com/distribution/distribution/v3/cmd/registry v3.1.2
)

# What those versions ask for.
go_least=1.26.7

# go_tools_install: builds what is not there. One package at a time, for it is not in a hurry.
go_tools_install() {
    local go program path version folder
    for ((index = 0; index < ${#go_modules[@]}; index += 3)); do
        read -r program path version <<<"${go_modules[*]:index:3}"
        folder=$go_tools/$program-$version
        if [ ! -x "$folder/$program" ]; then
            go=$(go_compiler) || return
            echo "building: $program $version"
            GOBIN=$folder GOFLAGS= CGO_ENABLED=0 nice "$go" install -p 1 -trimpath -ldflags=-s "$path@$version" || return
        fi
        mkdir -p "$go_tools/bin"
        ln -sfn "$folder/$program" "$go_tools/bin/$program"
    done
}

# go_compiler: the path of a Go that is new enough. Debian's package may be, by the time that this is read.
go_compiler() {
    local go
    if ! go_found >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends golang-go >/dev/null 2>&1 || true
    fi
    go=$(go_found) || {
        echo "error: go: version $go_least or newer is needed to build crane, regctl, oras and distribution 3"
        echo "hint: install Go $go_least or newer as /usr/local/go, or a package of it: apt-get install golang-go"
        return 1
    } >&2
    echo "$go"
}

go_found() {
    local go
    for go in "$(command -v go)" /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
        [ -x "$go" ] && printf '%s\n%s\n' "$go_least" "$("$go" env GOVERSION | sed 's/^go//')" | sort -V -C || continue
        echo "$go"
        return
    done
    return 1
}
