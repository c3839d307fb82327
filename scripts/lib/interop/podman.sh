# podman and buildah as clients of the same registries.

section_podman() {
    check "kimg pushes what podman is to pull" push_kimg "$work/foreign/index" "${registry_at[new]}/podman/index:x"
    check "podman pull of kimg's own" podman_pulled
    check "podman push, and kimg moves that: the same digest" podman_hands_on
    check "podman save in each form, and kimg reads that" podman_saved
    check "podman load of what kimg wrote" podman_loaded
    check "buildah from scratch, and kimg moves that: the same digest" buildah_hands_on
    check "a manifest list of podman's" podman_list
}

# A storage of its own, which goes with $work.
pod() { podman --root "$work/podman" --runroot "$work/podman.run" --storage-driver vfs "$@"; }
build() { buildah --root "$work/podman" --runroot "$work/podman.run" --storage-driver vfs "$@"; }

podman_pulled() {
    "$kimg" copy "oci:$work/own:zookeeper:3.8.4" "docker://${registry_at[new]}/podman/zookeeper:3.8.4" || return
    pod pull --quiet --tls-verify=false "${registry_at[new]}/podman/zookeeper:3.8.4" || return
    same "$(digest_in "$work/own" zookeeper:3.8.4)" "$(pod image inspect --format '{{.Digest}}' "${registry_at[new]}/podman/zookeeper:3.8.4")"
}

podman_hands_on() {
    local at=${registry_at[new]}/podman/index:x to=${registry_at[new]}/podman/pushed:x format
    pod pull --quiet --tls-verify=false "$at" || return
    for format in oci v2s2; do
        pod push --quiet --tls-verify=false --format "$format" "$at" "$to-$format" || return
        by_kimg "$to-$format" "${registry_at[old]}/podman/moved:$format" || return
        same "$(digest_at "$to-$format")" "$(digest_at "${registry_at[old]}/podman/moved:$format")" || return
    done
}

podman_saved() {
    local at=${registry_at[new]}/podman/index:x format
    for format in oci-archive docker-archive; do
        pod save --quiet --format "$format" --output "$work/podman.$format.tar" "$at" || return
        "$kimg" copy "$format:$work/podman.$format.tar" "docker://${registry_at[old]}/podman/saved:$format" || return
        crane validate --insecure --remote "${registry_at[old]}/podman/saved:$format" || return
    done
    pod save --quiet --format oci-dir --output "$work/podman.oci" "$at" || return
    "$kimg" copy "oci:$work/podman.oci" "docker://${registry_at[old]}/podman/saved:dir"
}

podman_loaded() {
    local at=docker://${registry_at[new]}/podman/zookeeper:3.8.4
    "$kimg" copy "$at" "oci-archive:$work/podman.oci.tar:loaded/zookeeper:oci" && pod load --quiet --input "$work/podman.oci.tar" || return
    "$kimg" copy "$at" "docker-archive:$work/podman.tar:loaded/zookeeper:docker" && pod load --quiet --input "$work/podman.tar"
}

buildah_hands_on() {
    local container at=${registry_at[new]}/podman/buildah:x
    container=$(build from scratch) || return
    echo hello >"$work/hello"
    build copy --quiet "$container" "$work/hello" /hello && build config --cmd /hello --label a=b "$container" || return
    build commit --quiet "$container" localhost/made:x && build push --quiet --tls-verify=false localhost/made:x "$at" || return
    by_kimg "$at" "${registry_at[old]}/podman/buildah:x" && same "$(digest_at "$at")" "$(digest_at "${registry_at[old]}/podman/buildah:x")" || return
    build push --quiet localhost/made:x "oci:$work/buildah.oci:x" || return
    "$kimg" copy "oci:$work/buildah.oci:x" "docker://${registry_at[old]}/podman/buildah:dir"
}

podman_list() {
    local at=${registry_at[new]}/podman/list:x
    build manifest create list:x && build manifest add --tls-verify=false list:x "docker://${registry_at[new]}/podman/buildah:x" || return
    build manifest push --quiet --all --tls-verify=false list:x "docker://$at" || return
    by_kimg "$at" "${registry_at[old]}/podman/list:x" && same "$(digest_at "$at")" "$(digest_at "${registry_at[old]}/podman/list:x")"
}
