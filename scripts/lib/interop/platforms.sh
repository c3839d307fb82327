# Some platforms of an index, and indexes that lack some.

section_platforms() {
    local server
    check "an index is there" by_skopeo_into index
    check "without a flag, all of it" platforms_all
    check "one platform: its manifest" platforms_one
    check "one platform of a nested index" platforms_nested
    check "a platform that there is not: exit code 5, and those that there are" platforms_none
    check "two of three: the same index where it may be sparse" platforms_sparse
    check "two of three: refused by name where it may not" platforms_refused
    check "two of three in an index of their own" platforms_new_index
    check "a sparse index goes on where it may" platforms_sparse_on
    check "one platform of a sparse index" platforms_of_sparse
    check "a name with a digest: the digest is what comes" platforms_by_digest
    check "what BuildKit attested comes along with its platform" platforms_attested
    check "an archive of Docker's has the platform that is asked for" platforms_docker_archive
}

by_skopeo_into() { push_skopeo "$work/foreign/$1" "${registry_at[old]}/platforms/$1:x"; }

# child FOLDER ARCHITECTURE: the digest of the manifest for it.
child() {
    python3 - "$1" "$2" <<'PY'
import json, sys
folder, architecture = sys.argv[1:]
def walk(entries):
    for entry in entries:
        if entry.get("platform", {}).get("architecture") == architecture:
            print(entry["digest"])
            raise SystemExit
        if "index" in entry["mediaType"]:
            walk(json.load(open(f"{folder}/blobs/{entry['digest'].replace(':', '/')}"))["manifests"])
walk(json.load(open(f"{folder}/index.json"))["manifests"])
PY
}

platforms_all() {
    "$kimg" copy "docker://${registry_at[old]}/platforms/index:x" "oci:$work/platforms/all:x" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_in "$work/platforms/all")" && blobs_whole "$work/platforms/all"
}

platforms_one() {
    local to=${registry_at[new]}/platforms/one:x digest
    digest=$("$kimg" copy --platform linux/arm64 "docker://${registry_at[old]}/platforms/index:x" "docker://$to") || return
    same "$(child "$work/foreign/index" arm64)" "$digest" && same "$digest" "$(digest_at "$to")"
}

platforms_nested() {
    local to=${registry_at[new]}/platforms/of-nested:x digest
    digest=$("$kimg" copy --platform linux/arm64 "oci:$work/foreign/nested:x" "docker://$to") || return
    same "$(child "$work/foreign/nested" arm64)" "$digest" && same "$digest" "$(digest_at "$to")"
}

platforms_none() {
    refuses 5 'riscv64' "$kimg" copy --platform linux/riscv64 "oci:$work/foreign/index:x" "oci:$work/platforms/none:x" || return
    grep 'linux/s390x' "$work/refused"
}

platforms_sparse() {
    local to=${registry_at[open]}/platforms/sparse:x
    "$kimg" copy --platform linux/amd64,linux/arm64 "oci:$work/foreign/index:x" "docker://$to" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_at "$to")" || return
    digest_at "${to%:x}@$(child "$work/foreign/index" arm64)" || return
    ! manifest_at "${to%:x}@$(child "$work/foreign/index" s390x)" 2>/dev/null
}

platforms_refused() {
    refuses 4 'new-index' "$kimg" copy --platform linux/amd64,linux/arm64 "oci:$work/foreign/index:x" \
        "docker://${registry_at[old]}/platforms/refused:x" || return
    ! manifest_at "${registry_at[old]}/platforms/refused:x" 2>/dev/null
}

platforms_new_index() {
    local to=${registry_at[old]}/platforms/own:x digest
    digest=$("$kimg" copy --new-index --platform linux/amd64,linux/arm64 "oci:$work/foreign/index:x" "docker://$to" 2>"$work/refused") || {
        cat "$work/refused"
        return 1
    }
    same "$digest" "$(digest_at "$to")" && ! same "$(digest_in "$work/foreign/index")" "$digest" >/dev/null || return
    same "amd64 arm64" "$(manifest_at "$to" | python3 -c 'import json,sys; print(*[m["platform"]["architecture"] for m in json.load(sys.stdin)["manifests"]])')" || return
    grep -i 'index' "$work/refused"
}

platforms_sparse_on() {
    local from=${registry_at[open]}/platforms/sparse:x to=${registry_at[open]}/platforms/sparse-on:x
    "$kimg" copy --platform linux/amd64,linux/arm64 "docker://$from" "docker://$to" || return
    same "$(digest_at "$from")" "$(digest_at "$to")"
}

platforms_of_sparse() {
    local digest
    digest=$("$kimg" copy --platform linux/amd64 "oci:$work/foreign/sparse:x" "docker://${registry_at[old]}/platforms/of-sparse:x") || return
    same "$(child "$work/foreign/sparse" amd64)" "$digest"
}

platforms_by_digest() {
    local to=$work/platforms/by-digest digest
    digest=$(child "$work/foreign/index" amd64)
    same "$digest" "$("$kimg" copy "docker://${registry_at[old]}/platforms/index:x@$digest" "oci:$to:x")" || return
    same "$digest" "$(digest_in "$to")"
}

platforms_attested() {
    local to=${registry_at[open]}/platforms/attested:x
    "$kimg" copy "oci:$work/foreign/attested:x" "docker://$to" || return
    same "$(digest_in "$work/foreign/attested")" "$(digest_at "$to")" || return
    manifest_at "${to%:x}@$(child "$work/foreign/attested" unknown)"
}

platforms_docker_archive() {
    "$kimg" copy --platform linux/arm64 "docker://${registry_at[old]}/platforms/index:x" "docker-archive:$work/platforms/arm64.tar:a:x" || return
    same arm64 "$(skopeo inspect --config "docker-archive:$work/platforms/arm64.tar" | python3 -c 'import json,sys; print(json.load(sys.stdin)["architecture"])')"
}
