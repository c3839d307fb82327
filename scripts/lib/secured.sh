# Brokers each of whose listeners needs credentials, and what kimg-ready learns of them by their port of metrics. Needs
# check.sh, docker.sh with a daemon, brokers.sh, $work, $image.

# certificates: an authority, and a certificate for localhost and kafka-0…2 as the PEM files that Kafka takes.
certificates() {
    mkdir -p "$work/tls" && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout "$work/ca.key" -out "$work/tls/ca.pem" &&
        openssl req -newkey rsa:2048 -nodes -subj /CN=broker -keyout "$work/broker.key" -out "$work/broker.csr" || return
    echo subjectAltName=DNS:localhost,DNS:kafka-0,DNS:kafka-1,DNS:kafka-2 >"$work/broker.ext"
    openssl x509 -req -in "$work/broker.csr" -CA "$work/tls/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
        -extfile "$work/broker.ext" -out "$work/broker.crt" || return
    cat "$work/broker.key" "$work/broker.crt" >"$work/tls/broker.pem"
    local login='org.apache.kafka.common.security.plain.PlainLoginModule required username="b" password="s"'
    local stores="ssl.truststore.type=PEM\nssl.truststore.location=/tls/ca.pem\n"
    printf 'security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=%s;\n%b' "$login" "$stores" >"$work/tls/SASL_SSL"
    printf 'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=%s;\n' "$login" >"$work/tls/SASL_PLAINTEXT"
    printf 'security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=/tls/broker.pem\n%b' "$stores" >"$work/tls/SSL"
    chmod -R a+rX "$work/tls"
}

# secured NAME PROTOCOL OPTION...: starts a broker whose only listener for clients is of this protocol; TLS is mutual.
secured() {
    local name=$1 protocol=$2
    local property=LISTENER_NAME_${protocol/_/__}_PLAIN_SASL_JAAS_CONFIG
    local login='org.apache.kafka.common.security.plain.PlainLoginModule required username="b" password="s" user_b="s";'
    local -a of_sasl=(--env KAFKA_SASL_ENABLED_MECHANISMS=PLAIN --env KAFKA_SASL_MECHANISM_INTER_BROKER_PROTOCOL=PLAIN
        --env "KAFKA_$property=$login")
    [[ $protocol = SASL_* ]] || of_sasl=(--env KAFKA_SSL_CLIENT_AUTH=required)
    shift 2
    docker run --detach --name "$name" --hostname "$name" --volume "$work/tls:/tls:ro" --read-only --tmpfs /tmp \
        --env "KAFKA_LISTENERS=$protocol://:9092" --env "KAFKA_INTER_BROKER_LISTENER_NAME=$protocol" \
        --env KAFKA_SSL_KEYSTORE_TYPE=PEM --env KAFKA_SSL_KEYSTORE_LOCATION=/tls/broker.pem \
        --env KAFKA_SSL_TRUSTSTORE_TYPE=PEM --env KAFKA_SSL_TRUSTSTORE_LOCATION=/tls/ca.pem "${of_sasl[@]}" "$@" "$image" >/dev/null
}

ready() { docker exec "$1" kimg-ready kafka "${@:2}"; }

# with_credentials CONTAINER PROTOCOL TOOL ARGUMENT...: a tool of Kafka's that logs in.
with_credentials() {
    docker exec --interactive "$1" "$3" --bootstrap-server localhost:9092 --command-config "/tls/$2" "${@:4}" 2>/dev/null
}

# knows_when PROTOCOL OPTION...: a single node is not ready before it runs, and ready after; Docker says the same.
knows_when() {
    local protocol=$1 said
    shift
    secured secured "$protocol" --env KAFKA_ADVERTISED_LISTENERS="$protocol://localhost:9092" "$@" || return
    if said=$(ready secured 2>&1); then
        echo "ready at once: $said"
        return 1
    fi
    echo "$said" && ready secured --live && eventually 60 ready secured && eventually 30 healthy secured || return
    said=$(ready secured) && echo "$said" && [[ $said = *'the broker runs' ]] || return
    eventually 30 ready secured --in-sync && ready secured --in-sync && ready secured --live || return
    with_credentials secured "$protocol" kafka-topics.sh --create --topic "t$RANDOM" || return
    # Nobody else is told.
    on_host curl --silent --max-time 2 "http://$(docker inspect --format '{{.NetworkSettings.IPAddress}}' secured):9405/metrics" && return 1
    docker stop --time 60 secured >/dev/null && same 143 "$(docker inspect --format '{{.State.ExitCode}}' secured)"
}
knows() {
    knows_when "$@"
    local result=$?
    docker logs secured 2>&1 | grep -v INFO | tail -n 15
    docker rm --force --volumes secured >/dev/null
    return $result
}

# keeps_exporter: an exporter of the user's own, and JMX, stay as they are; a second one would end Java.
keeps_exporter_of() {
    local said
    secured secured SASL_PLAINTEXT --env KAFKA_ADVERTISED_LISTENERS=SASL_PLAINTEXT://localhost:9092 --env JMX_PORT=9999 \
        --env KAFKA_OPTS=-javaagent:/tls/mine.jar=7071:/opt/kafka/metrics/metrics.yaml || return
    eventually 60 healthy secured && said=$(ready secured) && same 'SASL_PLAINTEXT://:9092 answers requests' "$said" || return
    docker logs secured 2>&1 | grep 'kimg: no port of metrics: KAFKA_OPTS: it has an exporter of its own' &&
        on_host curl --silent "http://$(docker inspect --format '{{.NetworkSettings.IPAddress}}' secured):7071/metrics" |
        grep '^kimg_broker_state 3'
}
keeps_exporter() {
    docker run --rm --entrypoint cat "$image" /opt/kafka/metrics/agent.jar >"$work/tls/mine.jar" || return
    keeps_exporter_of
    local result=$?
    docker rm --force --volumes secured >/dev/null
    return $result
}

# learns_of_lag: of three brokers whose listeners need credentials one was away, and fetches slowly what it missed: it is not
# in sync until it is in the ISR again, and says how far it is behind.
learns_of_lag_of() {
    local ordinal said voters=0@kafka-0:9093,1@kafka-1:9093,2@kafka-2:9093
    for ordinal in 0 1 2; do
        secured "kafka-$ordinal" SASL_PLAINTEXT --network cluster --env "KAFKA_ADVERTISED_LISTENERS=SASL_PLAINTEXT://kafka-$ordinal:9092" \
            --env KAFKA_LISTENERS=SASL_PLAINTEXT://:9092,CONTROLLER://:9093 --env KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER \
            --env KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT \
            --env KAFKA_PROCESS_ROLES=broker,controller --env KAFKA_CONTROLLER_QUORUM_VOTERS=$voters --env CLUSTER_ID=$cluster_id || return
    done
    for ordinal in 0 1 2; do eventually 90 healthy "kafka-$ordinal" && eventually 30 ready "kafka-$ordinal" --in-sync || return; done
    local -a slow=(with_credentials kafka-0 SASL_PLAINTEXT kafka-configs.sh --alter --entity-type brokers --entity-name 2)
    with_credentials kafka-0 SASL_PLAINTEXT kafka-topics.sh --create --topic lag --partitions 1 --replication-factor 3 \
        --config follower.replication.throttled.replicas='*' &&
        "${slow[@]}" --add-config follower.replication.throttled.rate=200000 &&
        docker stop --time 60 kafka-2 >/dev/null || return
    docker exec kafka-0 kafka-producer-perf-test.sh --topic lag --num-records 60000 --record-size 1000 --throughput -1 \
        --producer.config /tls/SASL_PLAINTEXT --producer-props bootstrap.servers=localhost:9092 acks=1 >/dev/null || return
    docker start kafka-2 >/dev/null && eventually 60 ready kafka-2 && sleep 15 || return
    if said=$(ready kafka-2 --in-sync 2>&1); then
        echo "in sync: $said; $(isr)"
        return 1
    fi
    echo "$said; $(isr)" && [[ $said = *'messages behind a leader' ]] && isr_is 0,1 || return
    "${slow[@]}" --delete-config follower.replication.throttled.rate && eventually 60 ready kafka-2 --in-sync &&
        eventually 5 isr_is 0,1,2
}
isr() { # of the topic's partition, sorted
    with_credentials kafka-0 SASL_PLAINTEXT kafka-topics.sh --describe --topic lag | sed -n 's/.*Isr: \([0-9,]*\).*/\1/p' |
        tr , '\n' | sort | paste -sd,
}
isr_is() { same "$1" "$(isr)"; }
learns_of_lag() {
    learns_of_lag_of
    local result=$?
    docker logs kafka-2 2>&1 | grep -v INFO | tail -n 5
    docker rm --force --volumes kafka-0 kafka-1 kafka-2 >/dev/null
    return $result
}
