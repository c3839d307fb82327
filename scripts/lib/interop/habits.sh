# What users of other copiers stumble over, by what they filed.

section_habits() {
    check "an image is there, by skopeo" push_skopeo "$work/foreign/index" "${registry_at[old]}/habits/index:x"
    check "a name without a tag is latest" habit_latest
    check "another tag in the same repository: no blob is asked for or sent" habit_retag
    check "nothing to do: two requests" habit_nothing_to_do
    check "another repository of the same registry: mounted, not sent" habit_mount
    check "into a repository by digest: no tag there" habit_by_digest
    check "into a repository by another digest: refused" habit_by_wrong_digest
    check "a tag that is there gets the new image" habit_overwrite
    check "--platform of what is no index: the image, where it is for that (go-containerregistry 1939)" habit_platform_of_one
    check "and not where it is for another" refuses 5 'linux/amd64' "$kimg" copy --platform linux/arm64 "oci:$work/foreign/single:x" "oci:$work/habit.none:x"
    check "two tags of one digest in a folder (regclient 211)" habit_two_tags
    check "a folder of two images, and none is named: they are listed" habit_unnamed
    check "layers that are kept elsewhere are not asked for (go-containerregistry 709)" habit_foreign_layers
    check "a tag sha256-HEX that is the image itself is no list of referrers (oras 2148)" habit_false_referrers
    check "a referrer of a referrer" habit_deep_referrers
    check "--dry-run moves nothing, and says how much would" habit_dry_run
    check "--digestfile has the digest" habit_digestfile
    check "Ctrl-C: 130, and the next run goes on" habit_interrupted
    check "Ctrl-C while it reads from a registry: 130, and no word of a panic" habit_interrupted_pull
    check "a full disk: 1, by name, and nothing named in the folder" habit_full
    check "a folder is written by two at once" habit_two_at_once
    check "an archive onto itself is refused or harmless" habit_archive_onto_itself
}

habit_latest() {
    "$kimg" copy "oci:$work/foreign/single:x" "docker://${registry_at[old]}/habits/untagged" || return
    same "$(digest_in "$work/foreign/single")" "$(digest_at "${registry_at[old]}/habits/untagged:latest")"
}

habit_retag() {
    registry_forgets old
    by_kimg "${registry_at[old]}/habits/index:x" "${registry_at[old]}/habits/index:y" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_at "${registry_at[old]}/habits/index:y")" || return
    same 0 "$(registry_requests old '"\(POST\|PATCH\|PUT\) /v2/[^ ]*/blobs/')" && same 0 "$(registry_requests old '"GET /v2/[^ ]*/blobs/')"
}

habit_nothing_to_do() {
    local image
    for image in single index; do
        push_kimg "$work/foreign/$image" "${registry_at[old]}/habits/nothing:$image" || return
        registry_forgets old
        push_kimg "$work/foreign/$image" "${registry_at[old]}/habits/nothing:$image" || return
        cat "$work/registry/old/requests"
        at_most 2 "$(registry_requests old)" || return
    done
}

habit_mount() {
    registry_forgets old
    by_kimg "${registry_at[old]}/habits/index:x" "${registry_at[old]}/habits/other/index:x" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_at "${registry_at[old]}/habits/other/index:x")" || return
    same 0 "$(registry_requests old '"\(PATCH\|PUT\) /v2/[^ ]*/blobs/')" && same 0 "$(registry_requests old '"GET /v2/[^ ]*/blobs/')"
}

habit_by_digest() {
    local digest
    digest=$(digest_in "$work/foreign/single")
    "$kimg" copy "oci:$work/foreign/single:x" "docker://${registry_at[old]}/habits/untagged2@$digest" || return
    same "$digest" "$(digest_at "${registry_at[old]}/habits/untagged2@$digest")" && ! crane ls --insecure "${registry_at[old]}/habits/untagged2" 2>/dev/null | grep .
}

habit_by_wrong_digest() {
    refuses '[23]' 'sha256:' "$kimg" copy "oci:$work/foreign/single:x" "docker://${registry_at[old]}/habits/wrong@$(digest_in "$work/foreign/chart")"
}

habit_overwrite() {
    local to=${registry_at[old]}/habits/moving:x
    push_kimg "$work/foreign/single" "$to" && push_kimg "$work/foreign/index" "$to" && same "$(digest_in "$work/foreign/index")" "$(digest_at "$to")" || return
    "$kimg" copy "oci:$work/foreign/single:x" "oci:$work/habit.moving:x" && "$kimg" copy "docker://$to" "oci:$work/habit.moving:x" || return
    same "$(digest_in "$work/foreign/index")" "$(digest_in "$work/habit.moving")"
}

habit_platform_of_one() {
    "$kimg" copy --platform linux/amd64 "oci:$work/foreign/single:x" "oci:$work/habit.one:x" || return
    same "$(digest_in "$work/foreign/single")" "$(digest_in "$work/habit.one")"
}

habit_two_tags() {
    local tag
    for tag in one two; do
        "$kimg" copy "oci:$work/foreign/single:x" "oci:$work/habit.tags:$tag" || return
    done
    for tag in one two; do
        same "$(digest_in "$work/foreign/single")" "$(digest_in "$work/habit.tags" "$tag")" || return
        skopeo inspect --raw "oci:$work/habit.tags:$tag" || return
    done
}

habit_unnamed() {
    "$kimg" copy "oci:$work/foreign/single:x" "oci:$work/habit.both:one" && "$kimg" copy "oci:$work/foreign/index:x" "oci:$work/habit.both:two" || return
    refuses '[25]' 'one' "$kimg" copy "oci:$work/habit.both" "docker://${registry_at[old]}/habits/both:x" && grep two "$work/refused"
}

habit_foreign_layers() {
    "$kimg" copy "oci:$work/foreign/foreign-layers:x" "oci:$work/habit.foreign:x" || return
    same "$(digest_in "$work/foreign/foreign-layers")" "$(digest_in "$work/habit.foreign")"
}

habit_false_referrers() {
    local to=${registry_at[new]}/habits/false digest
    push_skopeo "$work/foreign/index" "$to:x" || return
    digest=$(digest_in "$work/foreign/index")
    crane copy --insecure "$to:x" "$to:${digest/:/-}" || return
    "$kimg" copy --referrers "docker://$to:x" "docker://${registry_at[old]}/habits/false:x" || return
    same "$digest" "$(digest_at "${registry_at[old]}/habits/false:x")" || return
    same 0 "$(regctl artifact list "${registry_at[old]}/habits/false:x" --format '{{len .Descriptors}}')"
}

habit_deep_referrers() {
    local at=${registry_at[new]}/habits/deep to=${registry_at[old]}/habits/deep
    push_skopeo "$work/foreign/single" "$at:x" || return
    echo deep >"$work/deep.txt"
    local options=(--file-media-type text/plain --file "$work/deep.txt") first
    regctl artifact put --artifact-type application/x.sbom --subject "$at:x" "${options[@]}" || return
    first=$(regctl artifact list "$at:x" --format '{{(index .Descriptors 0).Digest}}')
    regctl artifact put --artifact-type application/x.signature --subject "$at@$first" "${options[@]}" || return
    "$kimg" copy --referrers "docker://$at:x" "docker://$to:x" || return
    same 1 "$(regctl artifact list "$to:x" --format '{{len .Descriptors}}')" && same 1 "$(regctl artifact list "$to@$first" --format '{{len .Descriptors}}')"
}

habit_dry_run() {
    registry_forgets new
    "$kimg" copy --dry-run "oci:$work/foreign/index:x" "docker://${registry_at[new]}/habits/dry:x" 2>&1 | tee "$work/dry" || return
    grep -Ei 'would|[0-9] (k?B|bytes)' "$work/dry" && same 0 "$(registry_requests new '"\(POST\|PATCH\|PUT\|DELETE\) ')"
}

habit_digestfile() {
    "$kimg" copy --digestfile "$work/digestfile" "oci:$work/foreign/index:x" "docker://${registry_at[new]}/habits/digestfile:x" || return
    same "$(digest_in "$work/foreign/index")" "$(cat "$work/digestfile")"
}

habit_interrupted() {
    local pid code
    far interrupted new --mbit 200 --delay 5 || return
    "$kimg" copy "oci:$work/foreign/large:x" "docker://$far/habits/large:x" >"$work/interrupted" 2>&1 &
    pid=$!
    eventually 60 more_than 20000000 interrupted up
    kill -INT "$pid"
    wait "$pid"
    code=$?
    cat "$work/interrupted"
    same 130 "$code" && ! grep panicked "$work/interrupted" || return
    "$kimg" copy "oci:$work/foreign/large:x" "docker://$far/habits/large:x"
    code=$?
    far_stop
    ((code == 0)) && same "$(digest_in "$work/foreign/large")" "$(digest_at "${registry_at[new]}/habits/large:x")"
}

habit_interrupted_pull() {
    local pid code
    push_skopeo "$work/foreign/large" "${registry_at[old]}/habits/pull:x" && far interrupted-pull old --mbit 200 --delay 5 || return
    "$kimg" copy "docker://$far/habits/pull:x" "docker://${registry_at[new]}/habits/pull:x" >"$work/interrupted" 2>&1 &
    pid=$!
    eventually 60 more_than 20000000 interrupted-pull down
    kill -INT "$pid"
    wait "$pid"
    code=$?
    far_stop
    cat "$work/interrupted"
    same 130 "$code" && ! grep panicked "$work/interrupted"
}

habit_full() {
    mkdir -p "$work/full" && mount -t tmpfs -o size=20m none "$work/full" || return
    refuses 1 'No space left' "$kimg" copy "oci:$work/foreign/large:x" "oci:$work/full/layout:x"
    local result=$?
    ((result == 0)) && { [ ! -e "$work/full/layout/index.json" ] || same "" "$(digest_in "$work/full/layout")"; }
    result=$?
    umount "$work/full"
    return $result
}

habit_two_at_once() {
    local one two to=$work/habit.at-once
    "$kimg" copy "oci:$work/foreign/large:x" "oci:$to:one" &
    one=$!
    "$kimg" copy "oci:$work/foreign/index:x" "oci:$to:two" &
    two=$!
    wait "$one" && wait "$two" || return
    same "$(digest_in "$work/foreign/large")" "$(digest_in "$to" one)" && same "$(digest_in "$work/foreign/index")" "$(digest_in "$to" two)" && blobs_whole "$to"
}

habit_archive_onto_itself() {
    "$kimg" copy "oci:$work/foreign/single:x" "oci-archive:$work/itself.tar:x" || return
    "$kimg" copy "oci-archive:$work/itself.tar:x" "oci-archive:$work/itself.tar:x"
    same "$(digest_in "$work/foreign/single")" "sha256:$(skopeo inspect --raw "oci-archive:$work/itself.tar:x" | sha256sum | cut -d' ' -f1)"
}
