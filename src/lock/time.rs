//! The one form of time in locks: RFC 3339, UTC, whole seconds.

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`; `None` for any other text and for years before 1970.
pub fn seconds(text: &str) -> Option<u64> {
    let time: toml::value::Datetime = text.parse().ok()?;
    let (date, time, offset) = (time.date?, time.time?, time.offset?);
    if offset != toml::value::Offset::Z || text.len() != "1970-01-01T00:00:00Z".len() {
        return None;
    }
    let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let second = time.second.unwrap_or_default();
    let seconds = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(second);
    u64::try_from(days * 86_400 + seconds).ok()
}

/// `YYYY-MM-DDTHH:MM:SSZ` of seconds since 1970.
pub fn rfc3339(seconds: u64) -> String {
    let (days, second) = (i64::try_from(seconds / 86_400).unwrap_or(i64::MAX / 2), seconds % 86_400);
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The count of days of the proleptic Gregorian calendar, by shifting the year's start to March so that the leap day
/// comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2023-11-21T10:20:30Z", 1_700_562_030),
        ] {
            assert_eq!(seconds(text), Some(expected));
            assert_eq!(rfc3339(expected), text);
        }
        for wrong in ["", "1969-12-31T23:59:59Z", "2023-11-21", "2023-11-21T10:20:30+01:00", "2023-13-01T00:00:00Z"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(time in 0u64..200_000_000_000) {
            prop_assert_eq!(seconds(&rfc3339(time)), Some(time));
        }
    }
}
