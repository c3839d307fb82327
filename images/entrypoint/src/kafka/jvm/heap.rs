//! How much memory the heap may take.

use super::given::JvmOption;
use crate::container::Container;
use crate::kafka::dialect::Rules;
use crate::memory::{self, Limit, shown};
use crate::problem::{Findings, Problem};

const MIB: u64 = 1024 * 1024;
/// The least and the largest heap that is made up from a limit.
const BOUNDS: (u64, u64) = (256 * MIB, 6 * 1024 * MIB);
/// What a broker takes beside its heap: classes, compiled code, threads, buffers. An idle one takes about 200 MiB.
const BESIDE: u64 = 256 * MIB;
/// Below this the smallest heap and what Java itself needs do not fit.
const LEAST: u64 = 384 * MIB;
/// Below this there is little left for connections and the page cache.
const ENOUGH: u64 = 512 * MIB;

/// The options to add to those that the user gave, of whatever variable.
pub fn decide(container: &Container, rules: &Rules, given: &[JvmOption], findings: &mut Findings) -> Vec<JvmOption> {
    let largest = size(given, &["-Xmx", "-XX:MaxHeapSize="], findings);
    let initial = size(given, &["-Xms", "-XX:InitialHeapSize="], findings);
    let by_share = ["-XX:MaxRAMPercentage=", "-XX:MaxRAM=", "-XX:MaxRAMFraction="];
    if given.iter().any(|option| by_share.iter().any(|prefix| option.text.starts_with(prefix))) {
        return Vec::new();
    }
    if let (Some((most, of_most)), Some((first, of_first))) = (&largest, &initial)
        && first > most
    {
        let why = format!("{} begins with more than {} of {} allows", of_first.text, of_most.text, of_most.origin);
        findings.refuse(Problem::new(of_first.origin.clone(), why, "give -Xms the value of -Xmx, or less"));
    }
    let limit = memory::limit(container);
    if let Some((most, option)) = largest {
        check_explicit(container, limit, most, &option, findings);
        return Vec::new();
    }
    let (bytes, origin) = made_up(container, rules, limit, findings);
    findings.note(format!("heap: {} ({origin})", shown(bytes)));
    match initial {
        Some((first, _)) => vec![option("-Xmx", bytes.max(first), &origin)],
        None => vec![option("-Xmx", bytes, &origin), option("-Xms", bytes, &origin)],
    }
}

fn option(name: &str, bytes: u64, origin: &str) -> JvmOption {
    JvmOption::new(format!("{name}{}m", bytes.div_ceil(MIB)), origin)
}

/// The last option with one of these prefixes, as Java takes them, and its size.
fn size(given: &[JvmOption], prefixes: &[&str], findings: &mut Findings) -> Option<(u64, JvmOption)> {
    let value = |text: &'_ str| prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).map(str::to_owned);
    let (option, text) = given.iter().rev().find_map(|option| Some((option, value(&option.text)?)))?;
    let hint = "give a number with its unit, such as `-Xmx1g` or `-Xmx512m`";
    match parse(&text) {
        Some(bytes) if bytes >= MIB => Some((bytes, option.clone())),
        Some(bytes) => {
            let why = format!("`{}` is {bytes} bytes, too little for Java to start", option.text);
            findings.refuse(Problem::new(option.origin.clone(), why, hint));
            Some((BOUNDS.0, option.clone()))
        }
        None => {
            let why = format!("`{}` is no size", option.text.escape_debug());
            findings.refuse(Problem::new(option.origin.clone(), why, hint));
            Some((BOUNDS.0, option.clone()))
        }
    }
}

/// A size as Java reads it: digits and a unit of one letter.
fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "k" | "K" => 1024,
        "m" | "M" => MIB,
        "g" | "G" => 1024 * MIB,
        "t" | "T" => 1024 * 1024 * MIB,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// Half of the limit, else the dialect's default.
fn made_up(container: &Container, rules: &Rules, limit: Option<Limit>, findings: &mut Findings) -> (u64, String) {
    let Some(limit) = limit else {
        let bytes = parse(rules.heap).unwrap_or(BOUNDS.0);
        if let Some(machine) = memory::of_machine(container).filter(|machine| *machine < bytes + BESIDE) {
            let why = format!(
                "the machine has {}, and a heap of {} with {} beside it does not fit",
                shown(machine),
                shown(bytes),
                shown(BESIDE)
            );
            findings.warn(Problem::new("KAFKA_HEAP_OPTS", why, "set it lower, such as `-Xmx256m -Xms256m`"));
        }
        return (bytes, format!("default of {}", rules.follows));
    };
    let bytes = (limit.bytes / 2).clamp(BOUNDS.0, BOUNDS.1);
    let hint = "give the container 1 GiB or more; or say by KAFKA_HEAP_OPTS what the heap may take";
    let why = format!("the smallest heap, {}, and what Java takes beside it need {}", shown(bytes), shown(LEAST));
    let problem = |why: String| Problem::new("memory limit", why, hint).with_value(shown(limit.bytes));
    if limit.bytes < LEAST {
        findings.refuse(problem(why));
    } else if limit.bytes < ENOUGH {
        findings.warn(problem(format!("{} are left beside a heap of {}", shown(limit.bytes - bytes), shown(bytes))));
    }
    let bound = match limit.bytes / 2 {
        half if half < BOUNDS.0 => ", and at least 256 MiB",
        half if half > BOUNDS.1 => ", and at most 6 GiB",
        _ => "",
    };
    (bytes, format!("half of the limit of {} in {}{bound}", shown(limit.bytes), limit.file.display()))
}

/// A heap that was asked for, and that the container cannot hold: the kernel would end the broker once it is full.
fn check_explicit(container: &Container, limit: Option<Limit>, most: u64, option: &JvmOption, findings: &mut Findings) {
    let (bytes, whose) = match limit {
        Some(limit) => (limit.bytes, "the container's memory limit is"),
        None => match memory::of_machine(container) {
            Some(bytes) => (bytes, "the machine has"),
            None => return,
        },
    };
    if most.saturating_add(BESIDE) > bytes {
        let why = format!(
            "{} needs {} with what Java takes beside the heap, and {whose} {}",
            option.text,
            shown(most.saturating_add(BESIDE)),
            shown(bytes)
        );
        let fits = bytes.saturating_sub(BESIDE).max(bytes / 2);
        let hint = format!("raise the limit, or set at most `-Xmx{}m`; half of the limit is usual", fits / MIB);
        findings.warn(Problem::new(option.origin.clone(), why, hint));
    }
}
