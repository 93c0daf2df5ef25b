//! Times as systemd writes them.

use crate::human;

/// Refuses what systemd takes for no time: each word is a shorthand or days of the week, has numbers or `*`, or is, at the end, the
/// name of a time zone.
pub(super) fn parse(text: &str) -> std::result::Result<String, String> {
    const SHORTHANDS: [&str; 9] = [
        "minutely",
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "quarterly",
        "semiannually",
        "annually",
        "yearly",
    ];
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let is_day = |word: &str| {
        let word = word.to_ascii_lowercase();
        DAYS.iter().any(|day| word == *day || word == day[..3])
    };
    let is_word = |at: usize, word: &str| {
        let of_times = |c: char| c.is_ascii_digit() || "*-:,.~/".contains(c);
        let is_time = word.contains(|c: char| c.is_ascii_digit() || c == '*');
        let days = word.trim_end_matches(',').replace("..", ",");
        (is_time
            && word
                .trim_start_matches('@')
                .trim_end_matches(['T', 'Z'])
                .chars()
                .all(|c| of_times(c) || c == 'T'))
            || (at == 0 && SHORTHANDS.contains(&word.to_ascii_lowercase().as_str()))
            || (at == 0 && days.split(',').all(is_day))
            || (at > 0
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c)))
    };
    let mut words = text.split(' ').filter(|word| !word.is_empty()).enumerate();
    if text.trim().is_empty() || !words.all(|(at, word)| is_word(at, word)) {
        return Err(format!(
            "'{}' is no time of systemd's, such as daily, Mon..Fri 03:00 or *-*-01 04:00:00 UTC",
            human::safe(text)
        ));
    }
    Ok(text.to_owned())
}
