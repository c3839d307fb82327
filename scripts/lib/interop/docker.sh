# Docker as a client of the same registries.

section_docker() {
    docker_here
    check "kimg pushes what Docker is to pull" docker_pushed
    check "docker pull, by digest" docker pull --quiet "${registry_at[old]}/docker/kafka@$(digest_in "$work/own" kafka:3.5.2)"
    check "docker run" bash -c "docker run --rm '${registry_at[old]}/docker/kafka@$(digest_in "$work/own" kafka:3.5.2)' --help | grep kafka"
    check "docker pull of an index" docker pull --quiet --platform linux/arm64 "${registry_at[old]}/docker/index:x"
    check "docker push, and kimg moves that: the same digest" docker_hands_on
    check "docker save, and kimg reads that" docker_saved
    check "docker save of two images, one picked by name" docker_saved_two
    check "docker load of what kimg wrote" docker_loaded
    check "a zstd layer into a Docker archive: unpacked" docker_zstd
}

docker_pushed() {
    # Not out of the store, where other sections build on.
    "$kimg" copy "oci:$work/own:kafka:3.5.2" "docker://${registry_at[old]}/docker/kafka:3.5.2" && push_kimg "$work/foreign/index" "${registry_at[old]}/docker/index:x"
}

docker_hands_on() {
    local at=${registry_at[old]}/docker/pushed:x to=${registry_at[new]}/docker/moved:x
    docker tag "${registry_at[old]}/docker/index:x" "$at" && docker push --quiet "$at" || return
    by_kimg "$at" "$to" && same "$(digest_at "$at")" "$(digest_at "$to")"
}

docker_saved() {
    docker save --output "$work/saved.tar" "${registry_at[old]}/docker/index:x" || return
    "$kimg" copy "docker-archive:$work/saved.tar" "docker://${registry_at[new]}/docker/saved:x" || return
    same "$(docker image inspect --format '{{json .RootFS.Layers}}' "${registry_at[old]}/docker/index:x")" \
        "$(crane config --insecure "${registry_at[new]}/docker/saved:x" | python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)["rootfs"]["diff_ids"], separators=(",", ":")))')" || return
    crane validate --insecure --remote "${registry_at[new]}/docker/saved:x"
}

docker_saved_two() {
    docker tag "${registry_at[old]}/docker/index:x" two/a:x || return
    docker save --output "$work/two.tar" two/a:x "${registry_at[old]}/docker/pushed:x" "$(docker images --quiet "${registry_at[old]}/docker/kafka" | head -n 1)" || return
    "$kimg" copy "docker-archive:$work/two.tar:two/a:x" "oci:$work/two:x" && blobs_whole "$work/two"
}

docker_loaded() {
    "$kimg" copy "docker://${registry_at[new]}/docker/saved:x" "docker-archive:$work/loaded.tar:loaded/x:y" || return
    same "Loaded image: loaded/x:y" "$(docker load --quiet --input "$work/loaded.tar")"
}

docker_zstd() {
    "$kimg" build zookeeper --compression zstd --offline -t "${registry_at[new]}/docker/zstd:x" --push || return
    "$kimg" copy "docker://${registry_at[new]}/docker/zstd:x" docker-daemon:zstd:x || return
    docker run --rm zstd:x --help
}
