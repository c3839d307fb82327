# A Docker daemon in namespaces of its own, so that nothing of it stays: its bridge, its firewall rules and its mounts
# go with it. "The host" of its containers is that namespace: `on_host COMMAND...` runs there.
# docker_start FOLDER [COMMAND...]: `sh` alone starts it in the namespaces of the caller, who has made some.
docker_start() {
    docker_folder=$1
    shift
    (($#)) || set -- unshare --net --mount --propagation private sh
    mkdir -p "$docker_folder"
    "$@" -c '
        ip link set lo up
        exec dockerd --data-root "$0/root" --exec-root "$0/run" --pidfile "$0/pid" -H "unix://$0/docker.sock" \
            --bip 10.210.0.1/24 >"$0/log" 2>&1' "$docker_folder" &
    docker_pid=$!
    export DOCKER_HOST="unix://$docker_folder/docker.sock"
    eventually 30 docker version || {
        tail -n 20 "$docker_folder/log"
        return 1
    }
}

on_host() {
    nsenter --target "$docker_pid" --net "$@"
}

docker_stop() {
    [ -n "${docker_pid:-}" ] || return 0
    docker ps --all --quiet 2>/dev/null | xargs --no-run-if-empty docker rm --force --volumes >/dev/null 2>&1
    kill "$docker_pid" 2>/dev/null
    wait "$docker_pid" 2>/dev/null
    docker_pid=
}
