# What names an image as its subject comes along when it is asked for: through the API of distribution-spec 1.1 where there is
# one, else by the tag scheme: distribution 2.8 and 3 have no API of referrers.

section_referrers() {
    check "a folder has an image with an SBOM and a signature, as oras sees it" referrers_in "$work/foreign/referred"
    check "oras attaches to an image of a registry" referrers_attached
    check "without a flag they stay" referrers_stay
    check "--referrers: kimg takes them from a folder into a registry" referrers_pushed
    check "regctl lists them there" referrers_listed_by_regctl
    check "oras lists them there" referrers_listed_by_oras
    check "--referrers: from registry to registry, with those that oras attached" referrers_moved
    check "--referrers: from a registry into a folder" referrers_pulled
    check "a second copy adds nothing" referrers_again
}

# referrers_in FOLDER: the tag x has two.
referrers_in() {
    oras discover --oci-layout --format json "$1:x" >"$work/discovered" || return
    referrers_discovered
}

referrers_discovered() {
    same "application/x.sbom application/x.signature" "$(python3 -c '
import json,sys; print(*sorted(r["artifactType"] for r in json.load(open(sys.argv[1]))["referrers"]))' "$work/discovered")"
}

referrers_attached() {
    local to=${registry_at[new]}/referrers/attached:x
    push_skopeo "$work/foreign/single" "$to" || return
    echo signed >"$work/signed.txt"
    (cd "$work" && oras attach --plain-http --artifact-type application/x.signature "$to" signed.txt:text/plain) || return
    regctl artifact put --artifact-type application/x.sbom --subject "$to" --file-media-type text/plain --file "$work/signed.txt" || return
    same 2 "$(referrers_of "$to")"
}

# referrers_of REF: how many there are, as regctl sees it.
referrers_of() {
    regctl artifact list "$1" --format '{{len .Descriptors}}'
}

referrers_stay() {
    local to=${registry_at[old]}/referrers/stay:x
    by_kimg "${registry_at[new]}/referrers/attached:x" "$to" && same 0 "$(referrers_of "$to")"
}

referrers_pushed() {
    local to=${registry_at[old]}/referrers/pushed:x
    "$kimg" copy --referrers "oci:$work/foreign/referred:x" "docker://$to" && same "$(digest_in "$work/foreign/referred")" "$(digest_at "$to")"
}

referrers_listed_by_regctl() {
    same 2 "$(referrers_of "${registry_at[old]}/referrers/pushed:x")"
}

referrers_listed_by_oras() {
    oras discover --plain-http --format json "${registry_at[old]}/referrers/pushed:x" >"$work/discovered" && referrers_discovered
}

referrers_moved() {
    local to=${registry_at[old]}/referrers/moved:x
    "$kimg" copy --referrers "docker://${registry_at[new]}/referrers/attached:x" "docker://$to" && same 2 "$(referrers_of "$to")" || return
    oras discover --plain-http --format json "$to" >"$work/discovered" && referrers_discovered
}

referrers_pulled() {
    "$kimg" copy --referrers "docker://${registry_at[new]}/referrers/attached:x" "oci:$work/referrers:x" || return
    referrers_in "$work/referrers" && blobs_whole "$work/referrers"
}

referrers_again() {
    local to=${registry_at[old]}/referrers/moved:x
    registry_forgets old
    "$kimg" copy --referrers "docker://${registry_at[new]}/referrers/attached:x" "docker://$to" || return
    same 0 "$(registry_requests old '"POST ')" && same 2 "$(referrers_of "$to")"
}
