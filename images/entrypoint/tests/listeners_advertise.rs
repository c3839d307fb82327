//! The modes of `KIMG_ADVERTISE`.

#![allow(clippy::type_complexity, reason = "tables of what goes in and what comes out")]

mod listeners_support;

use std::fs;
use std::path::Path;

use kimg_entrypoint::kafka::Mode;
use listeners_support::{Pairs, complete};

const MODE: &str = "KIMG_ADVERTISE";
const SERVICE: (&str, &str) = ("KIMG_SERVICE", "kafka-hs");
const NAMESPACE: (&str, &str) = ("POD_NAMESPACE", "prod");
const BASE: (&str, &str) = ("KIMG_NODEPORT_BASE", "31090");
const INTERNAL: &str = "PLAINTEXT://kafka-2.kafka-hs.prod.svc.cluster.local:9092";

#[test]
fn each_mode_on_the_third_pod() {
    // Mode, further variables: what is advertised beside the internal listener, and the listeners.
    #[rustfmt::skip]
    let rows: &[(&str, Pairs, &str, &str)] = &[
        ("headless", &[], "", "PLAINTEXT://:9092"),
        ("nodeport", &[("NODE_IP", "10.0.0.7"), BASE], "EXTERNAL://10.0.0.7:31092", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("headless,nodeport", &[("HOST_IP", "fd00::7"), BASE], "EXTERNAL://[fd00::7]:31092", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("nodeport", &[("KIMG_NODEPORT_HOST", "[fd00::7]"), ("NODE_IP", "10.0.0.7"), BASE], "EXTERNAL://[fd00::7]:31092", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        // Dual stack: `status.hostIPs`.
        ("nodeport", &[("NODE_IP", "10.0.0.7,fd00::7"), ("KIMG_NODEPORT_BASE", "31090,32090")], "EXTERNAL://10.0.0.7:31092,EXTERNAL_IPV6://[fd00::7]:32092", "PLAINTEXT://:9092,EXTERNAL://:9094,EXTERNAL_IPV6://:9095"),
        ("hostip", &[("HOST_IP", "fd00::7,10.0.0.7")], "EXTERNAL://[fd00::7]:9094,EXTERNAL_IPV4://10.0.0.7:9095", "PLAINTEXT://:9092,EXTERNAL://:9094,EXTERNAL_IPV4://:9095"),
        ("hostip", &[("HOST_IP", "10.0.0.7")], "EXTERNAL://10.0.0.7:9094", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("hostip", &[("HOST_IP", "10.0.0.7"), ("KIMG_HOST_PORT", "19092")], "EXTERNAL://10.0.0.7:19092", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("loadbalancer", &[("KIMG_LOADBALANCERS", "a.example.org, b.example.org, c.example.org")], "EXTERNAL://c.example.org:9094", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("loadbalancer", &[("KIMG_LOADBALANCERS", "a,b,[fd00::3]:443")], "EXTERNAL://[fd00::3]:443", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("loadbalancer", &[("KIMG_LOADBALANCERS", "a,b,fd00::3")], "EXTERNAL://[fd00::3]:9094", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("template", &[("KIMG_ADVERTISE_TEMPLATE", "kafka-{ordinal}.example.org:{31090+ordinal}")], "EXTERNAL://kafka-2.example.org:31092", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        ("template", &[("KIMG_ADVERTISE_TEMPLATE", "A://{pod}.{service}.{namespace}.{domain}:1,B://{host}-{id}:{ 1 + id + ordinal }")], "A://kafka-2.kafka-hs.prod.cluster.local:1,B://kafka-2-1:4", "PLAINTEXT://:9092,A://:9094,B://:9095"),
        ("template", &[("KIMG_ADVERTISE_TEMPLATE", "{node}:9094"), ("NODE_IP", "fd00::7")], "EXTERNAL://[fd00::7]:9094", "PLAINTEXT://:9092,EXTERNAL://:9094"),
        // Several external ones, with names and variables of their own.
        ("headless,nodeport,loadbalancer", &[("NODE_IP", "10.0.0.7"), BASE, ("KIMG_LOADBALANCERS", "a,b,c:443")], "EXTERNAL://10.0.0.7:31092,EXTERNAL2://c:443", "PLAINTEXT://:9092,EXTERNAL://:9094,EXTERNAL2://:9095"),
        ("lan=nodeport,PUBLIC=nodeport", &[("NODE_IP", "10.0.0.7"), BASE, ("KIMG_NODEPORT_HOST_PUBLIC", "203.0.113.9"), ("KIMG_NODEPORT_BASE_PUBLIC", "32090")], "LAN://10.0.0.7:31092,PUBLIC://203.0.113.9:32092", "PLAINTEXT://:9092,LAN://:9094,PUBLIC://:9095"),
    ];
    for (mode, more, external, listeners) in rows {
        let variables = [&[(MODE, *mode), SERVICE, NAMESPACE], *more].concat();
        let outcome = complete(&variables, "kafka-2", Mode::ZooKeeper);
        assert_eq!((outcome.problems(), outcome.warnings()), (String::new(), String::new()), "{mode} {more:?}");
        let expected = if external.is_empty() { INTERNAL.to_owned() } else { format!("{INTERNAL},{external}") };
        assert_eq!(outcome.get("advertised.listeners"), expected, "{mode} {more:?}");
        assert_eq!(outcome.get("listeners"), *listeners, "{mode} {more:?}");
        assert_eq!(outcome.get("inter.broker.listener.name"), "PLAINTEXT", "{mode} {more:?}");
        assert_eq!(outcome.properties.origin("advertised.listeners"), Some(format!("KIMG_ADVERTISE={mode}").as_str()));
    }
}

#[test]
fn the_users_own_listeners_and_protocols_are_kept() {
    let variables = [
        (MODE, "IN=headless,OUT=hostip"),
        SERVICE,
        NAMESPACE,
        ("HOST_IP", "10.0.0.7"),
        ("KAFKA_LISTENERS", "IN://:19092,OUT://:29092"),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "IN:SSL,OUT:SASL_SSL"),
    ];
    let outcome = complete(&variables, "kafka-2", Mode::ZooKeeper);
    assert_eq!(outcome.problems(), "");
    let advertised = "IN://kafka-2.kafka-hs.prod.svc.cluster.local:19092,OUT://10.0.0.7:29092";
    assert_eq!(outcome.get("advertised.listeners"), advertised);
    assert_eq!(outcome.get("listener.security.protocol.map"), "IN:SSL,OUT:SASL_SSL");
    assert_eq!(outcome.get("inter.broker.listener.name"), "IN");
    // Listeners that lack one of them.
    let outcome =
        complete(&[&variables[..4], &[("KAFKA_LISTENERS", "IN://:9092")]].concat(), "kafka-2", Mode::ZooKeeper);
    assert!(outcome.problems().contains("OUT is no listener; there are IN"), "{}", outcome.problems());
    // Made-up listeners are plain text, unless the map has them.
    let map = ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "OUT:SASL_SSL");
    let outcome = complete(&[&variables[..4], &[map]].concat(), "kafka-2", Mode::ZooKeeper);
    assert_eq!(outcome.get("listener.security.protocol.map"), "OUT:SASL_SSL,IN:PLAINTEXT");
    // What is advertised already says it all.
    let own = ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://k:9092");
    let outcome = complete(&[(MODE, "hostip"), own], "kafka-2", Mode::ZooKeeper);
    assert_eq!((outcome.get("advertised.listeners"), outcome.problems().as_str()), (own.1, ""));
    assert!(outcome.warnings().contains("KAFKA_ADVERTISED_LISTENERS says what is advertised"));
}

#[test]
fn controllers_keep_their_port() {
    let variables = [
        (MODE, "nodeport"),
        SERVICE,
        NAMESPACE,
        ("NODE_IP", "10.0.0.7"),
        BASE,
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
    ];
    let outcome = complete(&variables, "kafka-0", Mode::Kraft);
    assert_eq!(outcome.problems(), "");
    assert_eq!(outcome.get("listeners"), "PLAINTEXT://:9092,EXTERNAL://:9094,CONTROLLER://:9093");
    assert!(outcome.get("listener.security.protocol.map").ends_with(",EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"));
}

#[test]
fn a_template_may_name_the_internal_listener_too() {
    let template = "PLAINTEXT://{host}:9092,EXTERNAL://localhost:{29092+ordinal}";
    let variables = [(MODE, "template"), ("KIMG_ADVERTISE_TEMPLATE", template)];
    let outcome = complete(&variables, "kafka-1", Mode::ZooKeeper);
    assert_eq!(outcome.problems(), "");
    assert_eq!(outcome.get("advertised.listeners"), "PLAINTEXT://kafka-1:9092,EXTERNAL://localhost:29093");
}

#[test]
fn what_a_mode_lacks_is_named_all_at_once() {
    const TEMPLATE: &str = "KIMG_ADVERTISE_TEMPLATE";
    const BALANCERS: &str = "KIMG_LOADBALANCERS";
    let known = [SERVICE, NAMESPACE];
    // Mode, further variables, host: the subjects, and words of one of them.
    #[rustfmt::skip]
    let rows: &[(&str, Pairs, &str, &[&str], &str)] = &[
        ("nodeports", &known, "kafka-2", &[MODE], "headless, nodeport, hostip, loadbalancer, template"),
        ("a b=nodeport", &known, "kafka-2", &[MODE], "no name of a listener"),
        ("A=hostip,a=hostip", &[SERVICE, NAMESPACE, ("HOST_IP", "10.0.0.7")], "kafka-2", &[MODE], "A twice"),
        ("headless", &[], "kafka-2", &[MODE], "KIMG_SERVICE"),
        ("nodeport", &[], "kafka", &["KIMG_NODEPORT_HOST", "host name", "KIMG_NODEPORT_BASE", MODE], "has no ordinal"),
        ("nodeport", &[SERVICE, NAMESPACE, BASE, ("NODE_IP", "0.0.0.0")], "kafka-2", &["NODE_IP"], "no host that clients can connect to"),
        ("nodeport", &[SERVICE, NAMESPACE, ("KIMG_NODEPORT_BASE", "x"), ("NODE_IP", "10.0.0.7")], "kafka-2", &["KIMG_NODEPORT_BASE"], "no port"),
        ("nodeport", &[SERVICE, NAMESPACE, ("KIMG_NODEPORT_BASE", "65534"), ("NODE_IP", "10.0.0.7")], "kafka-2", &["KIMG_NODEPORT_BASE"], "beyond 65535"),
        ("nodeport", &[SERVICE, NAMESPACE, BASE, ("NODE_IP", "10.0.0.7")], "kafka-99999", &["KIMG_NODEPORT_BASE"], "99999 are beyond"),
        ("nodeport", &[SERVICE, NAMESPACE, BASE, ("NODE_IP", "10.0.0.7,fd00::7")], "kafka-2", &["KIMG_NODEPORT_BASE"], "there are 2 addresses"),
        ("nodeport", &[SERVICE, NAMESPACE, BASE, ("NODE_IP", "10.0.0.7,10.0.0.8")], "kafka-2", &["NODE_IP"], "two addresses of one family"),
        ("nodeport", &[SERVICE, NAMESPACE, BASE, ("NODE_IP", "10.0.0.7"), ("POD_NAME", "kafka-abc")], "kafka-2", &["POD_NAME"], "`kafka-abc` has no ordinal"),
        ("loadbalancer", &known, "kafka-2", &[BALANCERS], "needs it"),
        ("loadbalancer", &[SERVICE, NAMESPACE, (BALANCERS, "a,b")], "kafka-2", &[BALANCERS], "it has 2, and none for the ordinal 2"),
        ("loadbalancer", &[SERVICE, NAMESPACE, (BALANCERS, "a,b,c:0")], "kafka-2", &[BALANCERS], "`c:0`"),
        ("loadbalancer", &[SERVICE, NAMESPACE, (BALANCERS, "a,b,0.0.0.0:1")], "kafka-2", &[BALANCERS], "no host"),
        ("template", &known, "kafka-2", &[TEMPLATE], "needs it"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "{name}:1")], "kafka-2", &[TEMPLATE], "{ordinal} {id} {pod}"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "{pod:1")], "kafka-2", &[TEMPLATE], "without its other"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "a}:1")], "kafka-2", &[TEMPLATE], "without its other"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "a:{1+pod}")], "kafka-2", &[TEMPLATE], "adds what is no number"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "a:{65535+ordinal}")], "kafka-2", &[TEMPLATE], "its port"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "a:{ordinal}")], "kafka", &[TEMPLATE], "`{ordinal}` is not known"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, ":1")], "kafka-2", &[TEMPLATE], "has no host"),
        ("template", &[SERVICE, NAMESPACE, (TEMPLATE, "{node}:1")], "kafka-2", &[TEMPLATE], "status.hostIP"),
    ];
    for (mode, more, host, subjects, words) in rows {
        let variables = [&[(MODE, *mode)], *more].concat();
        let outcome = complete(&variables, host, Mode::ZooKeeper);
        let found: Vec<&str> = outcome.findings.problems.iter().map(|problem| problem.subject.as_str()).collect();
        assert_eq!(found, *subjects, "{mode} {more:?}\n{}", outcome.problems());
        assert!(outcome.problems().contains(words), "{mode} {more:?}\n{}", outcome.problems());
    }
}

/// Every variable that these rules read is in the page about them.
#[test]
fn every_variable_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/listeners.md")).unwrap();
    let files = [
        "pod.rs",
        "kafka/identity.rs",
        "kafka/commands.rs",
        "kafka/listeners/advertise.rs",
        "kafka/listeners/template.rs",
    ];
    let mut count = 0;
    for file in files {
        let source = fs::read_to_string(root.join("src").join(file)).unwrap();
        // The odd ones of what quotes part are texts.
        for text in source.split('"').skip(1).step_by(2) {
            let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            if is_name && ["KIMG_", "POD_", "MY_POD_", "NODE_", "HOST_IP"].iter().any(|prefix| text.starts_with(prefix))
            {
                count += 1;
                assert!(page.contains(&format!("`{text}`")), "{text} of {file}");
            }
        }
    }
    assert!(count > 20, "{count}");
}
