//! What the filters of long lists have in common: choices, and days as UTC has them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

/// What may be chosen, and what it is called.
#[derive(Serialize)]
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
}

/// What a form of filters says, by the names of its fields.
pub(super) type Given<const N: usize> = [(&'static str, Option<String>); N];

/// The filters and `more` as a query.
pub(super) fn query<const N: usize>(given: Given<N>, more: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let given = given.into_iter();
    query.extend_pairs(given.filter_map(|(name, value)| Some((name, value?))));
    query.extend_pairs(more).finish()
}

/// Whether anything is filtered.
pub(super) fn is_set<const N: usize>(given: &Given<N>) -> bool {
    given.iter().any(|(_, value)| value.is_some())
}

/// When this day begins.
pub(super) fn from(day: Option<NaiveDate>) -> Option<DateTime<Utc>> {
    day.map(|day| day.and_time(NaiveTime::MIN).and_utc())
}

/// When this day is over.
pub(super) fn through(day: Option<NaiveDate>) -> Option<DateTime<Utc>> {
    from(day.and_then(|day| day.checked_add_days(Days::new(1))))
}

/// A day as the field of a form has it; empty for none.
pub(super) fn text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_is_in_it_to_its_end() {
        let day = NaiveDate::from_ymd_opt(2026, 2, 28);
        assert_eq!(from(day).unwrap().to_rfc3339(), "2026-02-28T00:00:00+00:00");
        assert_eq!(
            through(day).unwrap().to_rfc3339(),
            "2026-03-01T00:00:00+00:00"
        );
        assert_eq!(text(day), "2026-02-28");
        assert_eq!(
            (from(None), through(None), text(None)),
            (None, None, String::new())
        );
    }
}
