use std::num::NonZeroUsize;

use super::InvalidValue;

/// More threads than any machine has processors are a mistake, and each takes memory.
const MOST: usize = 1024;

/// Parses a number of threads.
pub(in crate::cli) fn threads(text: &str) -> Result<NonZeroUsize, InvalidValue> {
    let number: Option<NonZeroUsize> = text.parse().ok();
    number
        .filter(|number| number.get() <= MOST)
        .ok_or_else(|| InvalidValue::new("it is no number of threads", format!("write a number from 1 to {MOST}")))
}
