use super::InvalidValue;

/// More at once than any registry takes are a mistake, and each takes a connection and memory.
const MOST_JOBS: usize = 64;

/// With waits that double, more tries are days.
const MOST_RETRIES: u32 = 100;

/// Parses a number of blobs at once.
pub(in crate::cli) fn jobs(text: &str) -> Result<usize, InvalidValue> {
    let number = text.parse().ok().filter(|number| (1..=MOST_JOBS).contains(number));
    number.ok_or_else(|| {
        InvalidValue::new("it is no number of blobs at once", format!("write a number from 1 to {MOST_JOBS}"))
    })
}

/// Parses how often something is tried again.
pub(in crate::cli) fn retries(text: &str) -> Result<u32, InvalidValue> {
    let number = text.parse().ok().filter(|number| *number <= MOST_RETRIES);
    number.ok_or_else(|| {
        InvalidValue::new("it is no number of tries", format!("write a number from 0 to {MOST_RETRIES}"))
    })
}
