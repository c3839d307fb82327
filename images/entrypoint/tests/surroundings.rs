//! Open files and time zones: what a container has around the broker.

#[path = "support/java.rs"]
mod support;

use std::path::PathBuf;

use kimg_entrypoint::kafka::Data;
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::{open_files, time_zone};
use support::container;

#[test]
fn partitions_need_open_files() {
    for (hard, partitions, warning) in [
        ("524288", 3, None),
        ("1024", 8, None),
        ("1024", 9, Some("`1024`: 9 partitions and their clients need about 1027")),
        ("512", 0, Some("`512`: 0 partitions")),
        ("unlimited", 9, None),
    ] {
        let limits =
            format!("Limit  Soft Limit  Hard Limit  Units\nMax open files            256        {hard}       files\n");
        let folders: Vec<String> = (0..partitions).map(|number| format!("data/a.topic-with-{number}/x.log")).collect();
        let mut files = vec![("proc/self/limits", limits.as_str()), ("data/lost+found/x", ""), ("data/file-7", "")];
        files.extend(folders.iter().map(|path| (path.as_str(), "")));
        let container = container("open-files", &files, &[]);
        let data = Data { folders: vec![PathBuf::from("/data"), PathBuf::from("/absent")], ..Data::default() };
        let mut findings = Findings::default();
        open_files::check(&container, &data, &mut findings);
        assert_eq!(findings.warnings.len(), usize::from(warning.is_some()), "{hard} {partitions}");
        let text = findings.warnings.first().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(warning.unwrap_or_default()), "{text}");
    }
}

#[test]
fn time_zones_that_java_does_not_find_are_named() {
    let zones = [
        ("usr/share/zoneinfo/Europe/Berlin", "TZif\nCET-1CEST,M3.5.0,M10.5.0/3\n"),
        ("usr/share/zoneinfo/Asia/Shanghai", "TZif\nCST-8\n"),
    ];
    let same = ("etc/localtime", zones[0].1);
    let older = ("etc/localtime", "TZif of another release\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    let no_summer = ("etc/localtime", "TZif of another release\nCST-8\n");
    for (files, zone, warning) in [
        (&[][..], "Europe/Berlin", ""),
        (&[], ":Europe/Berlin", ""),
        (&[], "posix/Asia/Shanghai", ""),
        (&[], "Europe/Berln", "TZ: `Europe/Berln`: there is no such time zone, and UTC is used"),
        (&[], "Europe", "no such time zone"),
        (&[], "CST", "no such time zone"),
        (&[], "CST-8", ""),
        (&[], "<+08>-8", ""),
        (&[], "CET-1CEST", "today's difference"),
        (&[], "<+01>-1<+02>,M3.5.0,M10.5.0", "today's difference"),
        (&[same], ":/etc/localtime", "TZ: `:/etc/localtime`: Java takes today's difference"),
        (&[same], "", ""),
        (&[no_summer], "", ""),
        (&[older], "", "/etc/localtime: it equals no zone of this image"),
        (&[older], "Europe/Berlin", ""),
        (&[("etc/localtime", "")], "", ""),
    ] {
        let container = container("time-zones", &[&zones[..], files].concat(), &[("TZ", zone)]);
        let mut findings = Findings::default();
        time_zone::check(&container, &mut findings);
        assert_eq!(findings.warnings.len(), usize::from(!warning.is_empty()), "{zone}: {findings:?}");
        let text = findings.warnings.first().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(warning), "{text}");
    }
}

#[test]
fn without_a_table_of_zones_nothing_is_said() {
    let mut findings = Findings::default();
    time_zone::check(&container("no-zones", &[], &[("TZ", "Europe/Berln")]), &mut findings);
    assert!(findings.warnings.is_empty());
}
