/// Bytes for people, in powers of 1000, with three figures: `640 B`, `4.9 MB`, `118 MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In tenths of the unit, rounded down, so that nothing looks complete before it is.
    let mut tenths = bytes / 100;
    for unit in UNITS {
        if tenths < 100 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        if tenths < 10_000 {
            return format!("{} {unit}", tenths / 10);
        }
        tenths /= 1000;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9_999, "9.9 kB"),
            (10_000, "10 kB"),
            (999_999, "999 kB"),
            (4_970_000, "4.9 MB"),
            (118_000_000, "118 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
