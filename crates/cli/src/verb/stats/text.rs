//! Figures on one screen.

use dalsegno::{Components, Intervals, SessionStats, Stats};

use crate::verb::verify;
use crate::{human, style, table};

/// How many hours and components are named.
const NAMED: usize = 5;

/// The figures, and the first `limit` of the sessions.
pub(super) fn lines(found: &Stats, limit: usize) -> Vec<String> {
    let mut lines = table::lay_out(&["", ""], summary(found));
    if found.session.is_none() && limit > 0 && !found.by_session.is_empty() {
        lines.push(String::new());
        lines.extend(sessions(found, limit));
    }
    for damage in &found.damage {
        let label = style::bad("damaged");
        lines.push(format!("\n{label}: {}", verify::describe(damage)));
    }
    lines
}

/// Names and values, in the order of a reader's questions.
pub(crate) fn summary(found: &Stats) -> Vec<Vec<String>> {
    let session = found.session.as_deref().map(human::safe);
    let kinds: Vec<_> = found
        .kinds
        .iter()
        .map(|(kind, count)| format!("{} {kind}", number(*count)))
        .collect();
    let kinds = if kinds.is_empty() {
        String::new()
    } else {
        format!(": {}", kinds.join(", "))
    };
    let of = match found.session {
        None => format!(" of {}", human::count(found.sessions, "session")),
        Some(_) => String::new(),
    };
    let times = found.oldest.as_ref().zip(found.newest.as_ref());
    let rows = [
        ("session", session),
        (
            "snapshots",
            Some(format!("{}{of}{kinds}", number(found.snapshots))),
        ),
        (
            "of them",
            (found.snapshots > 0).then(|| {
                format!(
                    "{} unchanged, {} with a name{}",
                    number(found.unchanged),
                    number(found.named),
                    verify::marked(found.repaired)
                )
            }),
        ),
        (
            "in the trash",
            (found.trash > 0).then(|| number(found.trash)),
        ),
        ("text", Some(human::exact_size(found.text_bytes))),
        (
            "stored",
            Some(format!(
                "{} when saved{}",
                human::exact_size(found.stored_bytes),
                found
                    .ratio
                    .map_or_else(String::new, |ratio| if ratio < 1.0 {
                        format!(", {} times the text", times_less(1.0 / ratio))
                    } else {
                        format!(", {} times less than the text", times_less(ratio))
                    })
            )),
        ),
        ("store's file", found.file_bytes.map(human::exact_size)),
        (
            "taken",
            times.map(|(oldest, newest)| {
                format!(
                    "{} to {}",
                    human::time(oldest.created_at),
                    human::time(newest.created_at)
                )
            }),
        ),
        ("intervals", found.intervals.as_ref().map(intervals)),
        ("peak hours", peak_hours(found)),
        (
            "most changed",
            found
                .components
                .as_ref()
                .map(|components| most_changed(components, found.session.is_some())),
        ),
    ];
    let given = rows
        .into_iter()
        .filter_map(|(name, value)| Some(vec![name.to_owned(), value?]));
    given.collect()
}

fn number(count: u64) -> String {
    indicatif::HumanCount(count).to_string()
}

/// A ratio with three digits or so.
pub(crate) fn times_less(ratio: f64) -> String {
    if ratio < 9.95 {
        format!("{ratio:.2}")
    } else if ratio < 99.5 {
        format!("{ratio:.1}")
    } else {
        format!("{ratio:.0}")
    }
}

fn intervals(found: &Intervals) -> String {
    format!(
        "median {}, from {} to {}",
        human::seconds(found.median),
        human::seconds(found.shortest),
        human::seconds(found.longest)
    )
}

fn peak_hours(found: &Stats) -> Option<String> {
    let mut hours: Vec<_> = found.hours.iter().enumerate().collect();
    hours.retain(|(_, count)| **count > 0);
    hours.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let named: Vec<_> = hours
        .iter()
        .take(NAMED)
        .map(|(hour, count)| format!("{hour:02}:00 ({})", number(**count)))
        .collect();
    (!named.is_empty()).then(|| named.join(", "))
}

fn most_changed(found: &Components, one: bool) -> String {
    let changed = found.changes.iter().filter(|change| change.changed > 0);
    let named: Vec<_> = changed
        .take(NAMED)
        .map(|change| format!("{} {}", human::safe(&change.name), number(change.changed)))
        .collect();
    let named = if named.is_empty() {
        "nothing".to_owned()
    } else {
        named.join(", ")
    };
    format!("{named} (of {})", compared(found, one))
}

/// What the changes are counted in, of `one` session or of all.
pub(crate) fn compared(found: &Components, one: bool) -> String {
    let unreadable = match found.unreadable {
        0 => String::new(),
        some => format!("; {} could not be read", number(some)),
    };
    let whose = if one { "the" } else { "each session's" };
    format!(
        "{} compared with the one before, among {whose} newest {}{unreadable}",
        human::count(found.compared, "snapshot"),
        number(u64::try_from(found.newest).unwrap_or(u64::MAX)),
    )
}

fn sessions(found: &Stats, limit: usize) -> Vec<String> {
    let shown = found.by_session.get(..limit).unwrap_or(&found.by_session);
    let heads = [
        "SESSION",
        ">SNAPSHOTS",
        ">TEXT",
        ">STORED",
        ">TIMES LESS",
        ">INTERVAL",
        "NEWEST",
    ];
    let mut lines = table::lay_out(&heads, shown.iter().map(row).collect());
    if let Some(head) = lines.first_mut() {
        *head = style::head(&head);
    }
    if let Some(more) = found.by_session.len().checked_sub(shown.len())
        && more > 0
    {
        let more = human::count(u64::try_from(more).unwrap_or(u64::MAX), "more session");
        lines.push(style::faint(format!("… and {more}")));
    }
    lines
}

/// A session among others; `report` has the same columns.
pub(crate) fn row(session: &SessionStats) -> Vec<String> {
    vec![
        human::safe(&session.session),
        number(session.snapshots),
        human::size(session.text_bytes),
        human::size(session.stored_bytes),
        session.ratio.map_or_else(String::new, times_less),
        session
            .intervals
            .map_or_else(String::new, |between| human::seconds(between.median)),
        session.newest.map_or_else(String::new, human::time),
    ]
}
