# Brokers under Docker: what they say and whether they serve. Needs check.sh, docker.sh with a daemon, $work, $image.

healthy() { same healthy "$(docker inspect --format '{{.State.Health.Status}}' "$1")"; }

# java_outside TOPIC ADDRESS: the console tools of Java, outside of the containers' network, send and read 100 messages.
java_outside() {
    local client=(docker run --rm --interactive --network host "$image")
    seq 1 100 | "${client[@]}" kafka-console-producer.sh --bootstrap-server "$2" --topic "$1" >/dev/null || return
    same 100 "$("${client[@]}" kafka-console-consumer.sh --bootstrap-server "$2" --topic "$1" --from-beginning \
        --max-messages 100 --timeout-ms 30000 2>/dev/null | wc -l)"
}

# inside_names: within the network, each broker is known by the name of its pod.
inside_names() {
    local found
    found=$(docker exec kafka-0 kafka-broker-api-versions.sh --bootstrap-server kafka-1:9092 2>/dev/null |
        sed -n 's/^\([^ ]*\) (id: \([0-9]\).*/\2 \1/p' | sort)
    same "$(for ordinal in 0 1 2; do echo "$ordinal kafka-$ordinal.kafka-hs.test.svc.cluster.local:9092"; done)" "$found"
}

# stock VOLUME FOLDER ID [ZOOKEEPER]: writes data with Kafka's own start and formatting tool, and a file of the user's, into a
# folder of a volume: what a broker of another image leaves behind.
stock() {
    local volume=$1 folder=$2 id=$3 zookeeper=${4:-}
    local file=$work/stock.properties
    {
        echo "log.dirs=/old$folder"
        echo "offsets.topic.replication.factor=1"
        if [ -n "$zookeeper" ]; then
            printf 'broker.id=%s\nzookeeper.connect=%s\n' "$id" "$zookeeper"
        else
            printf 'node.id=%s\nprocess.roles=broker,controller\ncontroller.quorum.voters=%s@localhost:9093\n' "$id" "$id"
            printf 'controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n'
            printf 'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n'
        fi
        echo "advertised.listeners=PLAINTEXT://localhost:9092"
    } >"$file"
    docker volume create "$volume" >/dev/null || return
    docker run --detach --name stock --user 0:0 --network cluster --volume "$volume:/old" --volume "$file:/stock.properties:ro" \
        --entrypoint bash "$image" -c "mkdir -p /old$folder && { [ -n '$zookeeper' ] || kafka-storage.sh format -t $cluster_id -c /stock.properties; } && exec kafka-server-start.sh /stock.properties" >/dev/null || return
    eventually 60 docker exec stock kafka-topics.sh --bootstrap-server localhost:9092 --list || return
    seq 1 100 | docker exec -i stock kafka-console-producer.sh --bootstrap-server localhost:9092 --topic old || return
    docker stop --time 60 stock >/dev/null
    docker rm --volumes stock >/dev/null
}

# old_messages CONTAINER: what stock wrote is there.
old_messages() {
    # By partition, for a group would need topics of its own, which the old broker may not have made.
    same 100 "$(docker exec "$1" kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic old --partition 0 \
        --offset earliest --max-messages 100 --timeout-ms 30000 2>/dev/null | wc -l)"
}

# volume_owned VOLUME OWNER: gives all of a volume to an owner.
volume_owned() {
    docker run --rm --user 0:0 --volume "$1:/old" --entrypoint bash "$image" -c "chown -R $2 /old && chmod -R g-w,o-rwx /old"
}

# takes_over FAMILY DATA MOUNT OWNER VARIABLE...: the image with a family's variables runs on a volume with data of stock
# Kafka, as the volume's owner, and the messages are there.
takes_over() {
    local data=$2 mount=$3 owner=$4 variable
    local -a options=()
    shift 4
    for variable in "$@"; do options+=(--env "$variable"); done
    docker volume rm --force old >/dev/null
    stock old "${data#"$mount"}" 7 && volume_owned old "$owner" || return
    docker run --detach --name taken --user "$owner" --volume "old:$mount" "${options[@]}" "$image" >/dev/null || return
    eventually 60 healthy taken && old_messages taken
    local result=$?
    docker logs taken 2>&1 | grep -v INFO | tail -n 15
    docker rm --force --volumes taken >/dev/null
    docker volume rm --force old >/dev/null
    return $result
}

# takes_over_zookeeper OWNER: the same for wurstmeister's folders, whose name holds the old container's host name, with
# ZooKeeper and an id that nobody set: that of the data.
takes_over_zookeeper() {
    docker run --detach --name zk --network cluster zookeeper:3.8.4 >/dev/null && eventually 60 healthy zk || return
    stock old /kafka-logs-3f9a1b2c7712 7 zk:2181 && volume_owned old "$1" || return
    docker run --detach --name taken --network cluster --user "$1" --volume old:/kafka --env KAFKA_ZOOKEEPER_CONNECT=zk:2181 \
        --env KAFKA_ADVERTISED_HOST_NAME=localhost "$image" start-kafka.sh >/dev/null || return
    eventually 90 healthy taken && old_messages taken && docker logs taken 2>&1 | grep 'broker.id: 7'
    local result=$?
    docker logs taken 2>&1 | grep -v INFO | tail -n 15
    docker rm --force --volumes taken zk >/dev/null
    docker volume rm --force old >/dev/null
    return $result
}

# refused CONTAINER-OPTIONS...: ends with code 2 before Java starts; what it says is in $work/refused.
refused() {
    docker run --rm "$@" "$image" >"$work/refused" 2>&1
    same 2 $? && ! grep -q INFO "$work/refused" && grep -q '^error: ' "$work/refused" && grep -q '^hint: ' "$work/refused"
}

# refuses_data VARIABLE: with data of node 7 of the test's cluster.
refuses_data() {
    docker volume rm --force old >/dev/null
    stock old /data 7 || return
    refused --user 0:0 --volume old:/var/lib/kafka --env "$1" && grep "^error: ${1%%=*}: " "$work/refused"
}

lost_and_found() {
    docker run --rm --user 0:0 --volume lost:/old --entrypoint bash "$image" -c 'mkdir /old/lost+found && chown -R 1000:0 /old' || return
    refused --volume lost:/var/lib/kafka/data && grep 'lost+found' "$work/refused" && grep subPath "$work/refused" || return
    docker run --rm --user 0:0 --volume lost:/old --entrypoint bash "$image" -c 'test -d /old/lost+found'
}

unwritable() {
    docker run --rm --user 0:0 --volume closed:/old --entrypoint bash "$image" -c 'chown 0:0 /old && chmod 0755 /old' || return
    refused --user 4321:4321 --volume closed:/var/lib/kafka/data && grep 'chown -R 4321:4321' "$work/refused"
}

# strict: a read-only root, no capabilities, a tmpfs, and a runtime that answers EPERM to clone3.
strict() {
    echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}' >"$work/clone3.json"
    docker run --detach --name strict --read-only --cap-drop ALL --tmpfs /tmp --security-opt "seccomp=$work/clone3.json" "$image" >/dev/null || return
    eventually 60 healthy strict && docker logs strict 2>&1 | grep 'kimg: .*clone3'
    local result=$?
    docker rm --force --volumes strict >/dev/null
    return $result
}

# any_owner: a user and a group that no file of the image knows. Docker gives an empty volume the owner that the image's
# folder has, so it is not empty.
any_owner() {
    docker run --rm --user 0:0 --volume any:/old --entrypoint bash "$image" -c 'mkdir /old/data && chown -R 54321:54322 /old' || return
    docker run --detach --name any --read-only --tmpfs /tmp --user 54321:54322 --volume any:/var/lib/kafka "$image" >/dev/null || return
    eventually 60 healthy any
    local result=$?
    docker rm --force --volumes any >/dev/null
    return $result
}
