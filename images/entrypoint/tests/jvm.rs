//! From variables, limits and mounts to Java's options.

#[path = "support/java.rs"]
mod support;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::jvm::{self, Jvm, JvmOption};
use kimg_entrypoint::kafka::{Dialect, Layout};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use support::{container, subjects};

fn decide(container: &Container, dialect: Dialect) -> (Jvm, Findings) {
    let mut findings = Findings::default();
    let properties = Properties::parse("listeners=PLAINTEXT://:9092,SSL://[::1]:9093\n", "test");
    let layout = Layout::of_image(&container.table);
    let jvm = jvm::decide(container, &layout, dialect, &properties, &mut findings);
    (jvm, findings)
}

fn texts(options: &[JvmOption]) -> Vec<&str> {
    options.iter().map(|option| option.text.as_str()).collect()
}

/// Those options that begin with one of these.
fn with(jvm: &Jvm, prefixes: &[&str]) -> Vec<String> {
    let all = jvm.options(Path::new("/c")).into_iter().map(|option| option.text);
    all.filter(|text| prefixes.iter().any(|prefix| text.starts_with(prefix))).collect()
}

/// What a table's row expects: words parted by blanks.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

const MIB: u64 = 1024 * 1024;

#[test]
fn the_heap_is_explicit_else_half_of_the_limit_else_the_dialects() {
    let default = "-Xmx1024m -Xms1024m";
    for (limit, variables, heap) in [
        (None, &[][..], default),
        (Some(64 * 1024), &[], "-Xmx6144m -Xms6144m"),
        (Some(4096), &[], "-Xmx2048m -Xms2048m"),
        (Some(512), &[], "-Xmx256m -Xms256m"),
        (Some(4096), &[("KAFKA_HEAP_OPTS", "-Xmx512M")], "-Xmx512M"),
        (Some(4096), &[("KAFKA_HEAP_OPTS", " -Xms256m  -Xmx512m\n")], "-Xms256m -Xmx512m"),
        (Some(4096), &[("KAFKA_HEAP_OPTS", "-Xms256m")], "-Xmx2048m -Xms256m"),
        (Some(2048), &[("KAFKA_HEAP_OPTS", "-Xms1536m")], "-Xmx1536m -Xms1536m"),
        (Some(4096), &[("KAFKA_HEAP_OPTS", "-XX:MaxHeapSize=1g")], "-XX:MaxHeapSize=1g"),
        (Some(4096), &[("KAFKA_HEAP_OPTS", "-XX:MaxRAMPercentage=70")], "-XX:MaxRAMPercentage=70"),
        (Some(4096), &[("KAFKA_OPTS", "-Xmx1g")], "-Xmx1g"),
        (Some(4096), &[("KAFKA_JVM_PERFORMANCE_OPTS", "-XX:+UseZGC -Xmx1g")], "-Xmx1g"),
        (Some(4096), &[("JAVA_TOOL_OPTIONS", "-Xmx1g")], ""),
        (Some(4096), &[("JDK_JAVA_OPTIONS", "-Xmx1g")], ""),
        (None, &[("KAFKA_HEAP_OPTS", "")], default),
    ] {
        let bytes = limit.map_or_else(|| "max\n".to_owned(), |mib: u64| format!("{}\n", mib * MIB));
        let files = [("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", bytes.as_str())];
        let (jvm, findings) = decide(&container("heap", &files, variables), Dialect::Kimg);
        let found = with(&jvm, &["-Xm", "-XX:MaxHeap", "-XX:MaxRAM"]);
        assert_eq!(found, words(heap), "{limit:?} {variables:?}");
        assert!(findings.problems.is_empty() && findings.warnings.is_empty(), "{variables:?}: {findings:?}");
    }
}

#[test]
fn the_limit_is_the_least_of_the_cgroups() {
    let none = "9223372036854771712";
    for (what, files, heap) in [
        (
            "version 2 in a namespace",
            &[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "2147483648")][..],
            1024,
        ),
        (
            "version 2 of the host",
            &[
                ("proc/self/cgroup", "0::/a/b\n"),
                ("sys/fs/cgroup/a/b/memory.max", "max"),
                ("sys/fs/cgroup/a/memory.max", "4294967296"),
            ],
            2048,
        ),
        (
            "version 1",
            &[
                ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/1\n"),
                ("sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "1073741824"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", none),
                ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1"),
            ],
            512,
        ),
        (
            "version 1 whose path is the host's",
            &[
                ("proc/self/cgroup", "4:memory:/docker/1\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824"),
            ],
            512,
        ),
        (
            "both",
            &[
                ("proc/self/cgroup", "4:memory:/m\n0::/u\n"),
                ("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "3221225472"),
                ("sys/fs/cgroup/unified/u/cgroup.procs", ""),
            ],
            1536,
        ),
        (
            "version 1 without a limit",
            &[("proc/self/cgroup", "4:memory:/\n"), ("sys/fs/cgroup/memory/memory.limit_in_bytes", none)],
            1024,
        ),
        ("a path outside", &[("proc/self/cgroup", "0::/../x\n"), ("sys/fs/x/memory.max", "536870912")], 1024),
        ("garbage", &[("proc/self/cgroup", "\n:\n0:\n"), ("sys/fs/cgroup/memory.max", "many")], 1024),
    ] {
        let (jvm, _) = decide(&container("cgroups", files, &[]), Dialect::Kimg);
        assert_eq!(with(&jvm, &["-Xmx"]), [format!("-Xmx{heap}m")], "{what}");
    }
}

#[test]
fn a_heap_that_was_made_up_says_why() {
    for (limit, origin) in [
        (Some(1000), "heap: 500 MiB (half of the limit of 1000 MiB in /sys/fs/cgroup/memory.max)"),
        (Some(400), "heap: 256 MiB (half of the limit of 400 MiB in /sys/fs/cgroup/memory.max, and at least 256 MiB)"),
        (
            Some(65536),
            "heap: 6144 MiB (half of the limit of 65536 MiB in /sys/fs/cgroup/memory.max, and at most 6 GiB)",
        ),
        (None, "heap: 1024 MiB (default of kimg)"),
    ] {
        let bytes = limit.map_or_else(|| "max".to_owned(), |mib: u64| (mib * MIB).to_string());
        let (jvm, findings) = decide(&container("why", &[("sys/fs/cgroup/memory.max", &bytes)], &[]), Dialect::Kimg);
        assert_eq!(findings.notes, [origin]);
        assert!(origin.contains(&jvm.options[0].origin), "{:?}", jvm.options[0]);
    }
}

#[test]
fn memory_that_does_not_do_is_named_with_its_figures() {
    for (limit, variables, warning, problem) in [
        (128, &[][..], "", "384 MiB|`128 MiB`: the smallest heap, 256 MiB"),
        (383, &[], "", "`383 MiB`"),
        (384, &[], "memory limit: `384 MiB`: 128 MiB are left", ""),
        (512, &[], "", ""),
        (
            1024,
            &[("KAFKA_HEAP_OPTS", "-Xmx1G")],
            "KAFKA_HEAP_OPTS: -Xmx1G needs 1280 MiB|limit is 1024 MiB|`-Xmx768m`",
            "",
        ),
        (2048, &[("KAFKA_HEAP_OPTS", "-Xmx1G")], "", ""),
        (300, &[("KAFKA_HEAP_OPTS", "-Xmx128m")], "`-Xmx150m`", ""),
        (4096, &[("KAFKA_HEAP_OPTS", "-Xmx1g -Xms2g")], "", "KAFKA_HEAP_OPTS: -Xms2g begins with more than -Xmx1g"),
        (4096, &[("KAFKA_HEAP_OPTS", "-Xms2g"), ("KAFKA_OPTS", "-Xmx1g")], "", "-Xmx1g of KAFKA_OPTS allows"),
        (4096, &[("KAFKA_HEAP_OPTS", "-Xmx1GB")], "", "`-Xmx1GB` is no size|`-Xmx1g`"),
        (4096, &[("KAFKA_HEAP_OPTS", "-Xmx512")], "", "is 512 bytes"),
        (4096, &[("KAFKA_HEAP_OPTS", "-Xmx$(HEAP)")], "", "is no size"),
        (4096, &[("KAFKA_HEAP_OPTS", "1g")], "", "KAFKA_HEAP_OPTS: `1g` is no option of Java"),
    ] {
        let bytes = (limit * MIB).to_string();
        let files = [("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", bytes.as_str())];
        let (_, findings) = decide(&container("too-little", &files, variables), Dialect::Kimg);
        for (found, expected) in [(&findings.warnings, warning), (&findings.problems, problem)] {
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{limit} {variables:?}: {findings:?}");
            let text = found.first().map(ToString::to_string).unwrap_or_default();
            assert!(expected.split('|').all(|part| text.contains(part)), "{text}");
        }
    }
}

#[test]
fn without_a_limit_the_machine_counts() {
    let files = [("proc/meminfo", "MemTotal:         943718 kB\nMemFree: 1 kB\n")];
    let (_, findings) = decide(&container("machine", &files, &[]), Dialect::Kimg);
    assert!(findings.warnings[0].why.starts_with("the machine has 921 MiB"), "{findings:?}");
    let (_, findings) = decide(&container("machine", &files, &[("KAFKA_HEAP_OPTS", "-Xmx2g")]), Dialect::Kimg);
    assert!(findings.warnings[0].why.contains("the machine has 921 MiB"), "{findings:?}");
}

#[test]
fn the_users_options_come_last_and_quotes_part_no_words() {
    for (variables, last, warnings) in [
        (&[("KAFKA_OPTS", "-Da=b  -Dc='d e'")][..], &["-Da=b", "-Dc=d e"][..], &[][..]),
        (&[("KAFKA_OPTS", "\"-Da=b -Dc=d\"")], &["-Da=b", "-Dc=d"], &["KAFKA_OPTS"]),
        (&[("KAFKA_OPTS", "-Da=\"b")], &["-Da=b"], &["KAFKA_OPTS"]),
        (
            &[("KAFKA_OPTS", "--add-opens java.base/java.lang=ALL-UNNAMED")],
            &["--add-opens", "java.base/java.lang=ALL-UNNAMED"],
            &[],
        ),
        (&[("EXTRA_ARGS", "-name kafkaServer -loggc -Dx=y")], &["-Dx=y"], &[]),
        (&[("KAFKA_DEBUG", "y")], &["-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=5005"], &[]),
        (
            &[("KAFKA_DEBUG", "y"), ("JAVA_DEBUG_PORT", "*:6006"), ("DEBUG_SUSPEND_FLAG", "y")],
            &["-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=*:6006"],
            &[],
        ),
    ] {
        let (jvm, findings) = decide(&container("options", &[], variables), Dialect::Kimg);
        assert_eq!(texts(&jvm.last), last, "{variables:?}");
        assert_eq!((subjects(&findings.warnings), findings.problems), (warnings.to_vec(), vec![]), "{variables:?}");
        assert!(jvm.options(Path::new("/c")).ends_with(&jvm.last));
    }
}

#[test]
fn an_error_for_lack_of_memory_ends_java_unless_the_user_says_otherwise() {
    let (jvm, _) =
        decide(&container("out-of-memory", &[], &[("KAFKA_OPTS", "-XX:-ExitOnOutOfMemoryError")]), Dialect::Kimg);
    let both = ["-XX:+ExitOnOutOfMemoryError", "-XX:-ExitOnOutOfMemoryError"];
    assert_eq!(with(&jvm, &["-XX:+Exit", "-XX:-Exit"]), both);
}

#[test]
fn files_that_options_name_must_be_there() {
    let files = [("etc/kafka/secrets/there.conf", ""), ("opt/agent.jar", "")];
    for (value, missing) in [
        ("-Djava.security.auth.login.config=/etc/kafka/secrets/there.conf", None),
        ("-Djava.security.auth.login.config=/etc/kafka/secrets/absent.conf", Some("/etc/kafka/secrets/absent.conf")),
        (
            "-Djava.security.auth.login.config==/opt/bitnami/kafka/config/kafka_jaas.conf",
            Some("/opt/bitnami/kafka/config/kafka_jaas.conf"),
        ),
        ("-javaagent:/opt/agent.jar=7071:/opt/agent.yaml", Some("/opt/agent.yaml")),
        ("-javaagent:/opt/agent.jar=port=8778,host=0.0.0.0", None),
        ("-javaagent:/opt/other.jar=7071", Some("/opt/other.jar")),
        ("-Dlog4j.configuration=file:/mnt/log4j.properties", Some("/mnt/log4j.properties")),
        ("-Dlog4j.configuration=log4j.properties", None),
        ("-Djava.security.auth.login.config=relative.conf", None),
    ] {
        let (_, findings) = decide(&container("option-files", &files, &[("KAFKA_OPTS", value)]), Dialect::Kimg);
        assert!(findings.problems.is_empty(), "below another root, a mount may bring it");
        let warnings: Vec<String> = findings.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), usize::from(missing.is_some()), "{value}: {warnings:?}");
        assert!(
            missing.is_none_or(|path| warnings[0].contains(path) && warnings[0].contains("KAFKA_OPTS")),
            "{warnings:?}"
        );
    }
    let mut live = container(
        "option-files",
        &[],
        &[
            ("KAFKA_HEAP_OPTS", "-Xmx8m"),
            ("KAFKA_OPTS", "-javaagent:/nonexistent/a.jar -Dlog4j.configuration=file:/nonexistent/l"),
        ],
    );
    live.root = PathBuf::from("/");
    let (_, findings) = decide(&live, Dialect::Kimg);
    assert_eq!(subjects(&findings.problems), ["KAFKA_OPTS"], "Java does not start without an agent");
    assert_eq!(subjects(&findings.warnings), ["KAFKA_OPTS"], "and logs nothing without the file");
}

#[test]
fn a_file_of_logins_is_needed_where_it_is_read() {
    let value = "-Djava.security.auth.login.config=/nonexistent/jaas.conf";
    // A heap that fits wherever this test runs.
    let mut live = container("logins", &[], &[("KAFKA_OPTS", value), ("KAFKA_HEAP_OPTS", "-Xmx8m")]);
    live.root = PathBuf::from("/");
    let map = "listener.security.protocol.map=AUTH:SASL_SSL,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL\n";
    for (properties, is_problem) in [
        ("zookeeper.connect=zk:2181\n", true),
        ("listeners=PLAINTEXT://:9092,SASL_PLAINTEXT://:9093\n", true),
        ("listeners=AUTH://:9092\n", true),
        ("listeners=PLAINTEXT://:9092\n", false),
        ("", false),
    ] {
        let mut findings = Findings::default();
        let properties = Properties::parse(&format!("{map}{properties}"), "test");
        jvm::decide(&live, &Layout::of_image(""), Dialect::Kimg, &properties, &mut findings);
        let count = [findings.problems.len(), findings.warnings.len()];
        assert_eq!(count, [usize::from(is_problem), usize::from(!is_problem)], "{properties:?}: {findings:?}");
    }
}

#[test]
fn jmx_is_one_port_and_no_junk() {
    let remote = |port: u16| {
        format!(
            "-Dcom.sun.management.jmxremote -Dcom.sun.management.jmxremote.authenticate=false \
             -Dcom.sun.management.jmxremote.ssl=false -Dcom.sun.management.jmxremote.port={port} \
             -Dcom.sun.management.jmxremote.rmi.port={port}"
        )
    };
    let own = "-Dcom.sun.management.jmxremote.port=1099 -Dcom.sun.management.jmxremote.rmi.port=1098";
    for (variables, options, problem) in [
        (&[][..], String::new(), ""),
        (&[("JMX_PORT", "9999")], remote(9999), ""),
        (&[("KAFKA_JMX_PORT", "9101"), ("JMX_PORT", "9999")], remote(9101), ""),
        (&[("KAFKA_JMX_OPTS", own)], own.to_owned(), ""),
        (&[("KAFKA_JMX_OPTS", own), ("JMX_PORT", "1099")], own.to_owned(), ""),
        (
            &[("KAFKA_JMX_PORT", "9101"), ("KAFKA_JMX_HOSTNAME", "localhost")],
            remote(9101) + " -Djava.rmi.server.hostname=localhost",
            "",
        ),
        // The link of a Service called kafka-jmx.
        (&[("KAFKA_JMX_PORT", "tcp://10.0.0.1:9999")], String::new(), ""),
        (&[("KAFKA_JMX_PORT", "tcp://10.0.0.1:9999"), ("JMX_PORT", "1099")], remote(1099), ""),
        (&[("JMX_PORT", "jmx")], String::new(), "error: JMX_PORT: `jmx`: it is no port"),
        (&[("JMX_PORT", "70000")], String::new(), "JMX_PORT"),
        (&[("JMX_PORT", "9093")], remote(9093), "JMX_PORT: `9093`: the listener SSL://[::1]:9093 has this port too"),
    ] {
        let (jvm, findings) = decide(&container("jmx", &[], variables), Dialect::Confluent);
        let found = with(&jvm, &["-Dcom.sun.management", "-Djava.rmi"]);
        assert_eq!(found, words(&options), "{variables:?}");
        assert_eq!(findings.problems.len(), usize::from(!problem.is_empty()), "{findings:?}");
        let text = findings.problems.first().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(problem), "{text}");
    }
}

#[test]
fn the_collectors_log_is_off_unless_asked_for() {
    for (variables, options, problems) in [
        (&[][..], &[][..], &[][..]),
        (&[("KIMG_GC_LOG", "off")], &[], &[]),
        (&[("KIMG_GC_LOG", "stdout")], &["-Xlog:gc*:stdout:time,level,tags"], &[]),
        (&[("KIMG_GC_LOG", "stdout"), ("KAFKA_GC_LOG_OPTS", "-Xlog:gc:/x")], &["-Xlog:gc:/x"], &[]),
        (&[("KIMG_GC_LOG", "file")], &[], &["KIMG_GC_LOG"]),
    ] {
        let (jvm, findings) = decide(&container("gc", &[], variables), Dialect::Kimg);
        assert_eq!(with(&jvm, &["-Xlog"]), options);
        assert_eq!(subjects(&findings.problems), problems);
    }
}

#[test]
fn the_class_path_is_the_users_then_the_images_then_what_was_added() {
    let own = [
        ("opt/kafka/libs/b.jar", ""),
        ("opt/kafka/libs/a.jar", ""),
        ("opt/kafka/libs/a-javadoc.jar", ""),
        ("opt/kafka/libs/x.txt", ""),
    ];
    let bitnami = [("opt/bitnami/kafka/libs/c.jar", ""), ("usr/share/java/kafka/d.jar", "")];
    let added = [("opt/kafka/libs/aa.jar", "")];
    let list = [("etc/kimg/class-path", "b.jar\na.jar\ngone.jar\n")];
    for (what, files, mounts, variables, expected) in [
        ("none", vec![], &[][..], &[][..], ""),
        ("the image's", own.to_vec(), &[], &[], "a.jar b.jar"),
        ("by the list", [&own[..], &list, &added].concat(), &[], &[], "b.jar a.jar aa.jar"),
        ("a mount", [&own[..], &added].concat(), &["/opt/kafka/libs/aa.jar"], &[], "a.jar b.jar aa.jar"),
        (
            "others' folders",
            [&own[..], &bitnami].concat(),
            &[],
            &[("CLASSPATH", ":/u/*:/v.jar")],
            "/u/* /v.jar a.jar b.jar c.jar d.jar",
        ),
    ] {
        let mut container = container("class-path", &files, variables);
        container.mounts = mounts.iter().map(PathBuf::from).collect();
        let (jvm, _) = decide(&container, Dialect::Kimg);
        let name = |path: &PathBuf| match path.starts_with("/u") || path.starts_with("/v.jar") {
            true => path.display().to_string(),
            false => path.file_name().unwrap().to_string_lossy().into_owned(),
        };
        assert_eq!(jvm.class_path.iter().map(name).collect::<Vec<_>>(), words(expected), "{what}");
    }
}

#[test]
fn a_folder_that_is_a_link_to_the_images_own_counts_once() {
    let container = container("linked", &[("opt/kafka/libs/a.jar", ""), ("opt/bitnami/x", "")], &[]);
    std::os::unix::fs::symlink("../kafka", container.path("/opt/bitnami/kafka")).unwrap();
    assert_eq!(decide(&container, Dialect::Kimg).0.class_path, [PathBuf::from("/opt/kafka/libs/a.jar")]);
}

#[test]
fn tools_open_no_port_and_connect_does() {
    let variables = [
        ("KAFKA_OPTS", "-javaagent:/opt/agent.jar=7071 -Da=b -Dcom.sun.management.jmxremote.port=1"),
        ("JMX_PORT", "9999"),
        ("KAFKA_TOOLS_LOG4J_LOGLEVEL", "debug"),
    ];
    let container = container("tools", &[("opt/kafka/libs/a.jar", ""), ("opt/agent.jar", "")], &variables);
    let layout = Layout::of_image("");
    let topics = jvm::tool(&container, &layout, "256M", "kafka.admin.TopicCommand", vec!["--list".into()]).unwrap();
    let security = "-Djava.security.properties=/opt/kafka/config/java.security";
    let log = "-Dlog4j.configuration=file:/opt/kafka/config/tools-log4j.properties";
    assert_eq!(topics.options, ["-Xmx256M", "-Xms256M", security, log, "-Dkimg.tools.level=DEBUG", "-Da=b"]);
    assert_eq!(topics.without, ["JMX_PORT", "KAFKA_JMX_PORT", "KAFKA_JMX_OPTS"]);
    let main = "org.apache.kafka.connect.cli.ConnectDistributed";
    let connect = jvm::tool(&container, &layout, "2G", main, vec![]).unwrap();
    for option in ["-Dcom.sun.management.jmxremote.port=9999", "-javaagent:/opt/agent.jar=7071"] {
        assert!(connect.options.iter().any(|own| own == option), "{:?}", connect.options);
    }
    assert!(connect.without.is_empty());
}

#[test]
fn flags_of_upstreams_script_are_taken_off() {
    for (arguments, rest) in [
        ("-name kafkaServer -loggc x.Main -name y", "x.Main -name y"),
        ("-daemon -Da=b x.Main", "-Da=b x.Main"),
        ("-name", ""),
        ("", ""),
    ] {
        let words = |text| words(text).into_iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(jvm::without_script_flags(&words(arguments)), words(rest), "{arguments}");
    }
}

#[test]
fn a_broker_without_jars_says_what_hides_them() {
    let (jvm, findings) = decide(&container("no-jars", &[], &[]), Dialect::Kimg);
    assert!(findings.problems.is_empty());
    let problem = jvm.broker(&Layout::of_image(""), &[], Path::new("/f"), &[]).unwrap_err();
    assert_eq!(problem.subject, "/opt/kafka/libs");
}
