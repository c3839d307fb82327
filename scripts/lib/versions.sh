# Every version that `kimg images` lists runs. Needs check.sh, docker.sh with a daemon, $kimg, $work, $socket.

# launchers_complete NAME:VERSION: each main class in the image's table of launchers is in one of its jars.
launchers_complete() {
    local home=$work/launchers container libs
    case $1 in
    kafka:*) libs=/opt/kafka/libs ;;
    *) libs=/opt/zookeeper/lib ;;
    esac
    rm -rf "$home" && mkdir "$home" && container=$(docker create "$1") || return
    docker cp --quiet "$container:$libs" "$home/jars" && docker cp --quiet "$container:/etc/kimg/launchers" "$home/table" || return
    docker rm --volumes "$container" >/dev/null
    python3 - "$home" <<'PY'
import pathlib, sys, zipfile
home = pathlib.Path(sys.argv[1])
names = {name for jar in home.glob("jars/*.jar") for name in zipfile.ZipFile(jar).namelist()}
rows = [line.split() for line in (home / "table").read_text().splitlines() if not line.startswith("#")]
tools = {row[0]: row[3] for row in rows if row[1] == "tool"}
missing = [f"{name}: no jar has {main}" for name, main in tools.items() if main.replace(".", "/") + ".class" not in names]
sys.exit("\n".join(missing) if missing else 0 if tools else "the table names no tool")
PY
}

is_healthy() { same healthy "$(docker inspect --format '{{.State.Health.Status}}' "$1")"; }

# kafka_serves CONTAINER: its own launchers send 1000 messages and read them back.
kafka_serves() {
    local broker=(--bootstrap-server localhost:9092)
    docker exec -i "$1" kafka-console-producer.sh "${broker[@]}" --topic e2e < <(seq 1 1000) >/dev/null || return
    docker exec "$1" kafka-console-consumer.sh "${broker[@]}" --topic e2e --from-beginning --max-messages 1000 \
        --timeout-ms 30000 2>/dev/null | sort -n | cmp - <(seq 1 1000)
}

# zookeeper_serves CONTAINER VERSION: it answers four-letter words, and its own client keeps a node.
zookeeper_serves() {
    local ask='exec 3<>/dev/tcp/127.0.0.1/2181 && printf "$0" >&3 && timeout 5 cat <&3'
    same imok "$(docker exec "$1" bash -c "$ask" ruok)" || return
    grep -q "^Zookeeper version: $2[-,]" <<<"$(docker exec "$1" bash -c "$ask" srvr)" || return
    docker exec "$1" zkCli.sh create /e2e kept >/dev/null 2>&1
    # The client logs to stdout too.
    grep -qx kept <<<"$(docker exec "$1" zkCli.sh get /e2e 2>/dev/null)"
}

# version_runs NAME:VERSION: checks one image, from its build to its end.
version_runs() {
    local image=$1 name=${1%%:*} version=${1##*:}
    check "$image is built" bash -c "'$kimg' build $image -o 'oci:$work/versions' 2>'$work/version.log' | grep -q '^$image@sha256:'"
    told "$image, compressed bytes" "$(skopeo inspect --raw "oci:$work/versions:$image" |
        python3 -c 'import json,sys; print(sum(layer["size"] for layer in json.load(sys.stdin)["layers"]))')"
    check "it is loaded" skopeo copy --quiet --dest-daemon-host "$socket" "oci:$work/versions:$image" "docker-daemon:$image"
    check "each launcher's main class is in its jars" launchers_complete "$image"
    check "it starts" docker run --detach --name version --read-only --cap-drop ALL --tmpfs /tmp "$image"
    check "it becomes healthy" eventually 60 is_healthy version
    check "it serves" "${name}_serves" version "$version"
    case $image in
    zookeeper:3.4.*)
        check "the build warns" grep -q "^warning: $image: .*out of support" "$work/version.log"
        ;;
    kafka:4.*)
        check "features are as upstream's tool has them" bash -c \
            "docker exec version kafka-features.sh --bootstrap-server localhost:9092 describe | grep -Eq 'group.version.*FinalizedVersionLevel: 1'"
        without_zookeeper() {
            docker run --rm --env KAFKA_ZOOKEEPER_CONNECT=zk:2181 "$image" >"$work/version.log" 2>&1
            same 2 $? && grep -q '^error: KAFKA_ZOOKEEPER_CONNECT: ' "$work/version.log"
        }
        check "KAFKA_ZOOKEEPER_CONNECT is refused by name" without_zookeeper
        ;;
    esac
    docker rm --force --volumes version >/dev/null
}
