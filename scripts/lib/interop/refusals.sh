# Bad input: a named error, its exit code, and nothing in the target.

section_refusals() {
    local there=${registry_at[new]}/refusals/single:x
    check "an image is there" push_skopeo "$work/foreign/single" "$there"
    check "a tag that there is not: 5" refuses 5 'refusals/single.*none|none' "$kimg" copy "docker://${there%:x}:none" "oci:$work/refused.layout:x"
    check "a repository that there is not: 5" refuses 5 'refusals/none' "$kimg" copy "docker://${registry_at[new]}/refusals/none:x" "oci:$work/refused.layout:x"
    check "nobody listens: 4" refuses 4 '127.0.0.1:1' "$kimg" copy "oci:$work/foreign/single:x" docker://127.0.0.1:1/a:x
    check "a name that nobody knows: 4" refuses 4 'nowhere.example' "$kimg" copy "oci:$work/foreign/single:x" docker://nowhere.example/a:x
    check "a layout without that name: 5" refuses 5 'none' "$kimg" copy "oci:$work/foreign/single:none" "docker://${registry_at[new]}/refusals/a:x"
    check "a layout with a missing blob: its digest is named" refusal_leaves_nothing torn 'sha256:[0-9a-f]{64}'
    check "a layout with a blob of other bytes: 3, its digest is named" refusal_of_wrong_bytes
    check "an archive cut short" refusal_of_cut_archive
    check "Docker schema 1: refused before anything is sent" refusal_of_schema_1
    check "a digest that is not what comes: the registry's file was changed" refusal_of_changed_blob
    check "an uppercase name: 2, and the grammar's own words" refuses 2 'lower' "$kimg" copy "oci:$work/foreign/single:x" docker://127.0.0.1:1/Team/A:x
    check "a reference without a transport: 2, and how it is written" refuses 2 'docker://' "$kimg" copy "127.0.0.1:1/a:x" "oci:$work/refused.layout:x"
    check "an image onto itself is no harm" refusal_of_itself
}

# refusal_leaves_nothing IMAGE PATTERN: it ends with an error, and the target has no such tag.
refusal_leaves_nothing() {
    local to=${registry_at[new]}/refusals/$1
    "$kimg" copy "oci:$work/foreign/$1:x" "docker://$to:x" >"$work/refused.stdout" 2>"$work/refused" && return 1
    cat "$work/refused"
    grep -E "^error: .*" "$work/refused" && grep -E "$2" "$work/refused" && same "" "$(cat "$work/refused.stdout")" || return
    ! manifest_at "$to:x"
}

refusal_of_wrong_bytes() {
    refusal_leaves_nothing wrong-bytes 'sha256:[0-9a-f]{64}' || return
    refuses 3 'sha256:' "$kimg" copy "oci:$work/foreign/wrong-bytes:x" "docker://${registry_at[new]}/refusals/wrong-bytes:x" || return
    refuses 3 'sha256:' "$kimg" copy "oci:$work/foreign/wrong-bytes:x" "oci:$work/refused.wrong:x"
}

refusal_of_cut_archive() {
    skopeo_copy "oci:$work/foreign/single:x" "oci-archive:$work/whole.tar:x" || return
    local size
    size=$(stat -c %s "$work/whole.tar")
    head -c $((size / 2)) "$work/whole.tar" >"$work/cut.tar"
    "$kimg" copy "oci-archive:$work/cut.tar:x" "docker://${registry_at[new]}/refusals/cut:x" >/dev/null 2>"$work/refused" && return 1
    cat "$work/refused"
    grep -E '^error: .*cut\.tar' "$work/refused" && ! manifest_at "${registry_at[new]}/refusals/cut:x"
}

# What a client of 2015 pushed: the registry hands it out still.
refusal_of_schema_1() {
    local body=$work/schema1
    printf '{"schemaVersion":1,"name":"refusals/schema1","tag":"x","architecture":"amd64","fsLayers":[],"history":[],"signatures":[]}' >"$body"
    python3 scripts/lib/fixed_server.py "$work/fixed.port" application/vnd.docker.distribution.manifest.v1+prettyjws "$body" >"$work/fixed.log" 2>&1 &
    local server=$!
    eventually 10 test -s "$work/fixed.port" || return
    registry_forgets new
    refuses '[124]' 'schema 1|manifest.v1' "$kimg" copy "docker://127.0.0.1:$(cat "$work/fixed.port")/refusals/schema1:x" "docker://${registry_at[new]}/refusals/schema1:x"
    local result=$?
    kill "$server"
    wait "$server" 2>/dev/null
    ((result == 0)) && same 0 "$(registry_requests new '"\(PUT\|POST\|PATCH\) ')"
}

refusal_of_changed_blob() {
    push_kimg "$work/foreign/single" "${registry_at[old]}/refusals/changed:x" || return
    local blob
    blob=$(manifest_at "${registry_at[old]}/refusals/changed:x" | python3 -c 'import json,sys; print(json.load(sys.stdin)["layers"][1]["digest"].split(":")[1])')
    blob=$work/registry/old/data/docker/registry/v2/blobs/sha256/${blob:0:2}/$blob/data
    cp "$blob" "$work/blob"
    printf '?' | dd of="$blob" bs=1 seek=100 conv=notrunc status=none
    refuses 3 'sha256:' "$kimg" copy "docker://${registry_at[old]}/refusals/changed:x" "oci:$work/refused.changed:x"
    local result=$?
    cp "$work/blob" "$blob"
    return $result
}

refusal_of_itself() {
    local to=${registry_at[new]}/refusals/single:x before
    before=$(digest_at "$to")
    "$kimg" copy "docker://$to" "docker://$to" && same "$before" "$(digest_at "$to")"
}
