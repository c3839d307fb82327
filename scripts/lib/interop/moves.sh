# The same digest whichever program moved it.

images=(single odd-bytes index nested empty-layers no-layers zero-bytes chart sha512 schema2 docker-list mixed-types uncompressed attested)
peers=(skopeo crane regctl oras)

section_moves() {
    local server image program other
    for server in old new; do
        other=$([ $server = old ] && echo new || echo old)
        for image in "${images[@]}"; do
            check "$image: kimg pushes it to $server" pushes kimg "$image" "$server"
            check "$image: kimg reads it from $server into a folder" pulls kimg "$image" "$server"
            check "$image: kimg moves it from $server to $other" moves kimg "$image" "$server" "$other"
            check "$image: kimg does it again" moves kimg "$image" "$server" "$other"
        done
    done
    check "crane's registry starts" crane_serves
    for image in "${images[@]}"; do
        check "$image: kimg pushes it to crane's registry" pushes kimg "$image" crane
        # It answers no request for a blob while it takes one: whoever asks too late waits for ever.
        check "$image: kimg moves it within that" timeout 30 "$kimg" copy "docker://${registry_at[crane]}/kimg/$image:x" "docker://${registry_at[crane]}/within/$image:x"
    done
    registry_stop crane
    for program in "${peers[@]}"; do
        for image in "${images[@]}"; do
            does_or_not "$program" "$image" "$image: $program moves what kimg pushed, to the same digest" moves "$program" "$image" old new
            does_or_not "push-$program" "$image" "$image: kimg moves what $program pushed" handed_on "$program" "$image"
        done
    done
}

# Another implementation, without mounts, in memory.
crane_serves() {
    crane registry serve --address 127.0.0.1:0 >"$work/crane.log" 2>&1 &
    registry_pid[crane]=$!
    eventually 10 grep -q 'serving on port' "$work/crane.log" || return
    registry_at[crane]=127.0.0.1:$(sed -n 's/.*serving on port \([0-9]*\)$/\1/p' "$work/crane.log" | head -n 1)
    plain_http "${registry_at[crane]}"
}

# pushes PROGRAM IMAGE SERVER
pushes() {
    local to=${registry_at[$3]}/$1/$2:x
    "push_$1" "$work/foreign/$2" "$to" || return
    same "$(digest_in "$work/foreign/$2")" "$(digest_at "$to")"
}

pulls() {
    local folder=$work/pulled/$1/$3/$2
    mkdir -p "$(dirname "$folder")"
    "pull_$1" "${registry_at[$3]}/kimg/$2:x" "$folder" || return
    same "$(digest_in "$work/foreign/$2")" "$(digest_in "$folder")" || return
    blobs_whole "$folder"
}

# moves PROGRAM IMAGE FROM TO
moves() {
    local to=${registry_at[$4]}/moved-by-$1/$2:x
    "by_$1" "${registry_at[$3]}/kimg/$2:x" "$to" || return
    same "$(digest_in "$work/foreign/$2")" "$(digest_at "$to")"
}

handed_on() {
    pushes "$1" "$2" new || return
    local to=${registry_at[old]}/handed-on/$1/$2:x
    by_kimg "${registry_at[new]}/$1/$2:x" "$to" || return
    same "$(digest_in "$work/foreign/$2")" "$(digest_at "$to")"
}

# blobs_whole FOLDER: each blob of a layout has the digest that its name says.
blobs_whole() {
    local algorithm
    for algorithm in sha256 sha512; do
        [ ! -d "$1/blobs/$algorithm" ] || (cd "$1/blobs/$algorithm" && find . -type f -printf '%f  %f\n' | "${algorithm}sum" --check --quiet) || return
    done
}
