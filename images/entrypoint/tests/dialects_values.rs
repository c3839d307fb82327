//! Values and names that are not what Kafka takes: what is meant is done and said, and what cannot be is a problem.

#[path = "support/dialects.rs"]
mod support;

use kimg_entrypoint::kafka::dialect::Names;
use kimg_entrypoint::kafka::{Dialect, Layout, known};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;

use support::{container, read, read_and_check, set, subjects};

/// What a variable's value arrives as, and how many warnings it brings.
fn value(variable: &str, given: &str) -> (Option<String>, usize) {
    let (result, findings) = read(&container(&[(variable, given)]), Dialect::Kimg);
    assert_eq!(findings.problems, [], "{variable}={given}");
    (set(&result).first().map(|(_, value)| (*value).to_owned()), findings.warnings.len())
}

#[test]
fn values_of_any_letters_arrive_as_they_are() {
    for text in [
        "a=b",
        "a@b",
        "#a",
        "!a",
        " a b ",
        "a\nb",
        "a$b",
        "$1",
        "ä€😀",
        "a:b",
        "[::1]",
        "%a",
        "RULE:[1:$1@$0](.*@REALM)s/@.*//,DEFAULT",
        "${file:/run/secret:key}",
        "${env:NAME}",
    ] {
        assert_eq!(value("KAFKA_BROKER_RACK", text), (Some(text.to_owned()), 0), "{text}");
    }
}

#[test]
fn quotes_and_backslashes_that_are_hardly_meant_are_named() {
    for (given, arrived, warnings) in [
        ("\"a\"", "\"a\"", 1),
        ("'a'", "'a'", 1),
        ("a \"b\" c", "a \"b\" c", 0),
        ("(.*@EXAMPLE\\.COM)", "(.*@EXAMPLE.COM)", 1),
        ("(.*@EXAMPLE\\\\.COM)", "(.*@EXAMPLE\\.COM)", 0),
    ] {
        assert_eq!(value("KAFKA_BROKER_RACK", given), (Some(arrived.to_owned()), warnings), "{given}");
    }
}

#[test]
fn a_text_over_several_lines_is_one_value() {
    let jaas = "org.example.Login required \\\n  username=\"a\" \\\n  password=\"b=c\";\n";
    let expected = "org.example.Login required username=\"a\" password=\"b=c\";".to_owned();
    assert_eq!(value("KAFKA_SASL_JAAS_CONFIG", jaas), (Some(expected), 0));
    let pem =
        value("KAFKA_SSL_KEYSTORE_KEY", "-----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----").0.unwrap();
    assert_eq!(pem.lines().count(), 3);
}

#[test]
fn words_for_true_and_false_are_translated_with_a_warning() {
    for (given, expected, warnings) in [
        ("true", "true", 0),
        ("False", "False", 0),
        ("yes", "true", 1),
        ("no", "false", 1),
        ("on", "true", 1),
        ("Off", "false", 1),
        ("1", "true", 1),
    ] {
        let arrived = value("KAFKA_AUTO_CREATE_TOPICS_ENABLE", given);
        assert_eq!(arrived, (Some(expected.to_owned()), warnings), "{given}");
    }
    // Text that is no boolean stays.
    assert_eq!(value("KAFKA_BROKER_RACK", "no"), (Some("no".to_owned()), 0));
}

#[test]
fn empty_values_and_members() {
    for (variable, given, expected, warnings) in [
        ("KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "", Some(""), 0),
        ("KAFKA_NUM_PARTITIONS", "", None, 1),
        ("KAFKA_AUTO_CREATE_TOPICS_ENABLE", " ", None, 1),
        ("KAFKA_ZOOKEEPER_CONNECT", "", None, 1),
        ("KAFKA_LISTENERS", "", None, 1),
        ("KAFKA_SASL_ENABLED_MECHANISMS", "PLAIN,,GSSAPI,", Some("PLAIN,GSSAPI"), 1),
        ("KAFKA_SASL_ENABLED_MECHANISMS", "PLAIN, GSSAPI", Some("PLAIN, GSSAPI"), 0),
    ] {
        assert_eq!(value(variable, given), (expected.map(str::to_owned), warnings), "{variable}={given}");
    }
}

#[test]
fn an_empty_variable_takes_away_what_the_family_s_file_has() {
    let (given, _) = read(&container(&[("KAFKA_CFG_NUM_PARTITIONS", "")]), Dialect::Bitnami);
    assert_eq!(given.properties.get("num.partitions"), None);
}

#[test]
fn what_a_shell_or_kubernetes_would_replace_stays_and_is_named() {
    for (given, word) in [
        ("PLAINTEXT://$(POD_NAME):9092", "$(POD_NAME)"),
        ("${HOSTNAME##*-}", "${HOSTNAME##*-}"),
        ("EXTERNAL://${HOST_IP}:9094", "${HOST_IP}"),
        ("${HOST:-localhost}", "${HOST:-localhost}"),
        ("EXTERNAL://h:$((31090+id))", "$(…)"),
        ("$(hostname -f)", "$(…)"),
    ] {
        let (result, findings) = read(&container(&[("KAFKA_BROKER_RACK", given)]), Dialect::Kimg);
        assert_eq!(set(&result), [("broker.rack", given)]);
        assert_eq!(subjects(&findings.warnings), ["KAFKA_BROKER_RACK"], "{given}");
        assert!(findings.warnings[0].why.contains(word), "{}", findings.warnings[0]);
    }
}

#[test]
fn secrets_are_in_no_message() {
    let variables = [("KAFKA_SSL_KEY_PASSWORD", "$(TOP)"), ("KAFKA_CFG_SSL_KEY_PASSWORD", "secret")];
    let (_, findings) = read(&container(&variables), Dialect::Bitnami);
    let text: String = findings.warnings.iter().map(ToString::to_string).collect();
    assert!(!findings.warnings.is_empty() && !text.contains("secret") && !text.contains("$(TOP)"), "{text}");
}

#[test]
fn unknown_names_are_warned_of_with_the_nearest() {
    for (variable, hint) in [
        ("KAFKA_LOG_CLEANUP_PLOICY", "log.cleanup.policy"),
        ("KAFKA_NUM_PARTITION", "num.partitions"),
        ("KAFKA_RETENTION_MS", "log.retention.ms"),
        ("KAFKA_AUTO_CREATE_TOPIC_ENABLE", "auto.create.topics.enable"),
        ("KAFKA_ADVERTISED_LISTENER", "advertised.listeners"),
        ("KAFKA_MY_OWN_SETTING", "plug-in"),
        ("KAFKA_ADVERTISED_HOST", "KAFKA_ADVERTISED_LISTENERS"),
        ("KAFKA_MAX_REQUEST_SIZE", "producers"),
        ("KAFKA_SSL_KEY_PASSWORD_FILE", "config.providers"),
    ] {
        let (_, findings) = read_and_check(&container(&[(variable, "1")]), Dialect::Kimg);
        assert_eq!(subjects(&findings.warnings), [variable]);
        assert!(findings.warnings[0].hint.contains(hint), "{}", findings.warnings[0]);
    }
}

#[test]
fn values_of_the_wrong_kind_are_problems_at_once() {
    let variables = [
        ("KAFKA_NUM_PARTITIONS", "three"),
        ("KAFKA_LOG_RETENTION_BYTES", "1GB"),
        ("KAFKA_LOG_CLEANER_MIN_CLEANABLE_RATIO", "half"),
        ("KAFKA_DELETE_TOPIC_ENABLE", "maybe"),
        ("KAFKA_LISTENER_NAME_X_MAX_CONNECTIONS", "many"),
        // Too large for its type: 10 GB.
        ("KAFKA_LOG_SEGMENT_BYTES", "10737418240"),
        ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "40000"),
        // What is right, blanks around it and what is read elsewhere.
        ("KAFKA_MESSAGE_MAX_BYTES", " 10 "),
        ("KAFKA_NUM_IO_THREADS", "${file:/a:b}"),
        ("KAFKA_LOG_RETENTION_MS", "-1"),
        ("KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS", "10737418240"),
    ];
    let (_, findings) = read_and_check(&container(&variables), Dialect::Kimg);
    let mut expected: Vec<&str> = variables[..7].iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    let mut told = subjects(&findings.problems);
    told.sort_unstable();
    assert_eq!((told, findings.warnings), (expected, vec![]));
}

#[test]
fn properties_of_other_versions_are_named() {
    let four = Layout::of_image("s server kafka kraft log4j2");
    for (name, value, layout, warnings) in [
        ("log.message.format.version", "3.0", &Layout::of_image(""), 0),
        ("log.message.format.version", "3.0", &four, 1),
        ("zookeeper.session.timeout.ms", "1", &four, 1),
        ("cordoned.log.dirs", "/a", &four, 0),
        ("cordoned.log.dirs", "/a", &Layout::of_image(""), 1),
    ] {
        let (mut properties, mut findings) = (Properties::default(), Findings::default());
        properties.set(name, value, "KAFKA_X");
        known::check(&properties, layout, &mut findings);
        assert_eq!((findings.warnings.len(), findings.problems.len()), (warnings, 0), "{name} {:?}", findings);
    }
}

#[test]
fn classes_that_are_gone_are_problems_with_their_successor() {
    const OLD: &str = "kafka.security.auth.SimpleAclAuthorizer";
    const ZOOKEEPER: &str = "kafka.security.authorizer.AclAuthorizer";
    const KRAFT: &str = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
    let roles = ("KAFKA_PROCESS_ROLES", "broker");
    let connect = ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181");
    for (mode, class, successor) in [
        (connect, OLD, Some(ZOOKEEPER)),
        (roles, OLD, Some(KRAFT)),
        (connect, ZOOKEEPER, None),
        (roles, KRAFT, None),
        (roles, ZOOKEEPER, Some(KRAFT)),
        (connect, KRAFT, Some(ZOOKEEPER)),
        (connect, "com.example.Authorizer", None),
    ] {
        let variables = [mode, ("KAFKA_AUTHORIZER_CLASS_NAME", class)];
        let (_, findings) = read_and_check(&container(&variables), Dialect::Confluent);
        assert_eq!(findings.problems.len(), usize::from(successor.is_some()), "{class}");
        if let (Some(successor), [problem]) = (successor, findings.problems.as_slice()) {
            assert_eq!(problem.subject, "KAFKA_AUTHORIZER_CLASS_NAME");
            assert!(problem.hint.contains(successor), "{problem}");
        }
    }
}

#[test]
fn other_classes_of_confluent_are_warned_of() {
    let class = "io.confluent.kafka.security.authorizer.ConfluentServerAuthorizer";
    let (_, findings) = read_and_check(&container(&[("KAFKA_AUTHORIZER_CLASS_NAME", class)]), Dialect::Confluent);
    assert_eq!((subjects(&findings.warnings), findings.problems.len()), (vec!["KAFKA_AUTHORIZER_CLASS_NAME"], 0));
}

#[test]
fn reporters_of_confluent_are_left_out_so_that_it_runs() {
    const REPORTER: &str = "io.confluent.metrics.reporter.ConfluentMetricsReporter";
    for (given, kept) in [
        (REPORTER.to_owned(), None),
        (format!("{REPORTER},com.example.Reporter"), Some("com.example.Reporter")),
        ("com.example.Reporter".to_owned(), Some("com.example.Reporter")),
    ] {
        let (result, findings) = read(&container(&[("KAFKA_METRIC_REPORTERS", &given)]), Dialect::Confluent);
        assert_eq!(result.properties.get("metric.reporters"), kept);
        assert_eq!(findings.warnings.len(), usize::from(given.contains(REPORTER)));
    }
}

/// A generator of numbers, the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn text(&mut self, letters: &[char], longest: usize) -> String {
        let length = self.below(longest + 1);
        (0..length).map(|_| letters[self.below(letters.len())]).collect()
    }
}

/// The variable that sets a property, by the rule that the images' documents give.
fn variable(property: &str) -> String {
    let marked = property.replace('_', "__").replace('-', "___").replace('.', "_");
    format!("KAFKA_{}", marked.to_uppercase())
}

#[test]
fn names_of_properties_come_back_from_their_variables() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for _ in 0..2000 {
        // A mark stands between words; two beside each other have no name in this scheme.
        let words: Vec<String> =
            (0..=numbers.below(5)).map(|_| format!("w{}", numbers.text(&['a', 'z', '0'], 3))).collect();
        let mut name = words[0].clone();
        for word in &words[1..] {
            name.push(['.', '_', '-'][numbers.below(3)]);
            name.push_str(word);
        }
        let variable = variable(&name);
        assert_eq!(Names::Doubled.property(&variable["KAFKA_".len()..]), name, "{variable}");
        assert_eq!(Names::Dots.property(&variable["KAFKA_".len()..]).matches(['_', '-']).count(), 0);
    }
}

#[test]
fn any_value_is_read_without_harm_and_nothing_else_is_set() {
    let mut numbers = Numbers(42);
    let letters: Vec<char> = "ab ,:;=#@!$(){}[]\"'\\\n\r\tuU0ä😀_%*/-".chars().collect();
    let names = ["KAFKA_BROKER_RACK", "KAFKA_SASL_ENABLED_MECHANISMS", "KAFKA_SASL_JAAS_CONFIG", "KAFKA_OWN"];
    for _ in 0..3000 {
        let name = names[numbers.below(names.len())];
        let given = numbers.text(&letters, 12);
        let (result, findings) = read(&container(&[(name, &given)]), Dialect::Kimg);
        assert!(set(&result).len() <= 1 && findings.problems.is_empty(), "{given:?}");
        // Whatever it is, the file holds one line for it.
        assert!(result.properties.to_text().lines().count() <= 1, "{given:?}");
    }
}
