# kimg's own images, read by everybody else; and built straight into a registry.

section_own() {
    local image
    for image in kafka:3.5.2 zookeeper:3.8.4; do
        check "$image: pushed, the digest that was built" own_pushed "$image"
        check "$image: skopeo copies it" skopeo_copy "docker://${registry_at[new]}/own/$image" "oci:$work/own.skopeo:$image"
        check "$image: crane validates it" crane validate --insecure --remote "${registry_at[new]}/own/$image"
        check "$image: regctl copies it" regctl image copy "${registry_at[new]}/own/$image" "ocidir://$work/own.regctl:${image##*:}"
        check "$image: oras copies it" oras copy --from-plain-http --to-oci-layout "${registry_at[new]}/own/$image" "$work/own.oras:${image##*:}"
    done
    check "kimg ls lists what crane ls lists" own_listed
    check "kimg inspect tells what skopeo tells" own_inspected
    check "an unchanged build --push from an empty store, without a network" own_reused
    check "it sends 20 kB at most" at_most 20000 "${own_sent:-999999999}"
    check "the inputs of a lock in a registry" own_inputs
    check "built from there with an empty store: the same digest" own_from_inputs
    check "build --base with an image of a registry" own_base
    check "its layers are the base's, unchanged" own_base_layers
}

own_digest() { digest_in "$work/own" "$1"; }

own_pushed() {
    same "$(own_digest "$1")" "$("$kimg" push "$1" "${registry_at[new]}/own/$1")" && same "$(own_digest "$1")" "$(digest_at "${registry_at[new]}/own/$1")"
}

own_listed() {
    crane copy --insecure "${registry_at[new]}/own/kafka:3.5.2" "${registry_at[new]}/own/kafka:other" || return
    same "$(crane ls --insecure "${registry_at[new]}/own/kafka" | sort)" "$("$kimg" ls "${registry_at[new]}/own/kafka" | sort)"
}

own_inspected() {
    local at=docker://${registry_at[new]}/own/kafka:3.5.2
    same "$(skopeo inspect --tls-verify=false --raw "$at" | sha256sum)" "$("$kimg" inspect --raw "$at" | sha256sum)" || return
    same "$(skopeo inspect --tls-verify=false --config --raw "$at" | sha256sum)" "$("$kimg" inspect --image-config "$at" | sha256sum)" || return
    "$kimg" inspect --json "$at" | python3 -c 'import json,sys; json.load(sys.stdin)' || return
    "$kimg" inspect "$at" | grep "$(own_digest kafka:3.5.2)"
}

own_reused() {
    far own new || return
    local answer
    answer=$(KIMG_HOME=$work/own.empty "$kimg" build kafka:3.5.2 -t "$far/own/kafka:3.5.2" --push) || return
    same "$(own_digest kafka:3.5.2)" "${answer##*@}" || return
    own_sent=$(far_bytes own up)
    far_stop
}

own_inputs() {
    "$kimg" fetch kafka:3.5.2 -o "docker://${registry_at[new]}/own/inputs:3.5.2" || return
    oras manifest fetch --plain-http "${registry_at[new]}/own/inputs:3.5.2"
}

own_from_inputs() {
    local answer
    answer=$(KIMG_HOME=$work/own.inputs "$kimg" build kafka:3.5.2 --offline --inputs "docker://${registry_at[new]}/own/inputs:3.5.2") || return
    same "$(own_digest kafka:3.5.2)" "${answer##*@}"
}

own_base() {
    "$kimg" build kafka:3.5.2 --base "docker://${registry_at[new]}/own/zookeeper@$(own_digest zookeeper:3.8.4)" \
        -t "${registry_at[new]}/own/based:3.5.2" --push
}

own_base_layers() {
    local layers='import json,sys; print(*[l["digest"] for l in json.load(sys.stdin)["layers"]], sep="\n")'
    manifest_at "${registry_at[new]}/own/zookeeper:3.8.4" | python3 -c "$layers" >"$work/base.layers" || return
    same "$(cat "$work/base.layers")" "$(manifest_at "${registry_at[new]}/own/based:3.5.2" | python3 -c "$layers" | head -n "$(wc -l <"$work/base.layers")")"
}
