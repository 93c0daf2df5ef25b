//! The report's text.

use std::fmt::Write;
use std::path::Path;

use dalsegno::Stats;
use jiff::Timestamp;

use crate::human;
use crate::verb::stats::text::{compared, row, summary};

/// How many days are named, the newest.
const DAYS: usize = 60;

/// How long the longest bar is.
const BAR: u64 = 40;

/// Text in the making.
#[derive(Default)]
pub(super) struct Markdown(String);

impl Markdown {
    /// The report on `found`, with the first `limit` sessions.
    pub(super) fn of(found: &Stats, store: Option<&Path>, limit: usize) -> String {
        let mut text = Self::default();
        text.head(found, store);
        if found.session.is_none() {
            text.sessions(found, limit);
        }
        if found.snapshots > 0 {
            text.hours(found);
            text.days(found);
        }
        text.components(found);
        text.damage(found);
        text.0
    }

    fn line(&mut self, line: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _written = writeln!(self.0, "{line}");
    }

    fn section(&mut self, title: &str) {
        self.line(format!("\n## {title}\n"));
    }

    /// `heads` that begin with `>` are numbers.
    fn table(&mut self, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let names = heads
            .iter()
            .map(|head| head.trim_start_matches('>').to_owned());
        self.row(names.collect());
        let rule = heads
            .iter()
            .map(|head| if head.starts_with('>') { "---:" } else { "---" });
        self.line(format!("| {} |", rule.collect::<Vec<_>>().join(" | ")));
        for row in rows {
            self.row(row.iter().map(|cell| escape(cell)).collect());
        }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.line(format!("| {} |", cells.join(" | ")));
    }

    fn head(&mut self, found: &Stats, store: Option<&Path>) {
        let store = store.map_or_else(|| "the store".to_owned(), |path| path.display().to_string());
        let store = escape(&human::safe(&store));
        match &found.session {
            Some(session) => {
                self.line(format!("# Session {}\n", escape(&human::safe(session))));
                self.line(format!("In {store}."));
            }
            None => self.line(format!("# What {store} keeps\n")),
        }
        self.line(format!(
            "Made {} by dalsegno {}; times in {}.",
            human::time(Timestamp::now()),
            env!("CARGO_PKG_VERSION"),
            found.zone.as_deref().unwrap_or("the local zone"),
        ));
        if !found.damage.is_empty() {
            self.line("\n**Something is damaged, and in none of the figures: see the end.**");
        }
        self.section("Summary");
        self.table(&["", ""], summary(found));
    }

    fn sessions(&mut self, found: &Stats, limit: usize) {
        self.section("Sessions");
        let shown = found.by_session.get(..limit).unwrap_or(&found.by_session);
        if !shown.is_empty() {
            let heads = [
                "session",
                ">snapshots",
                ">text",
                ">stored",
                ">times less",
                ">interval",
                "newest",
            ];
            self.table(&heads, shown.iter().map(row));
            self.line("");
        }
        let more = found.by_session.len().saturating_sub(shown.len());
        match u64::try_from(more).unwrap_or(u64::MAX) {
            0 if shown.is_empty() => self.line("There are none."),
            0 => self.line("The one with the most stored bytes first."),
            more => self.line(format!(
                "The ones with the most stored bytes; {} left out.",
                human::count(more, "more session")
            )),
        }
    }

    fn hours(&mut self, found: &Stats) {
        self.section("Activity by hour");
        let most = found.hours.iter().max().copied().unwrap_or_default();
        self.line("```text");
        for (hour, count) in found.hours.iter().enumerate() {
            let line = format!(
                "{hour:02}:00  {}  {}",
                bar(*count, most),
                indicatif::HumanCount(*count)
            );
            self.line(line);
        }
        self.line("```");
    }

    fn days(&mut self, found: &Stats) {
        self.section("Growth by day");
        let left_out = found.days.len().saturating_sub(DAYS);
        let mut all = 0_u64;
        let mut rows = Vec::new();
        for (place, day) in found.days.iter().enumerate() {
            all = all.saturating_add(day.stored_bytes);
            if place >= left_out {
                rows.push(vec![
                    day.date.to_string(),
                    indicatif::HumanCount(day.snapshots).to_string(),
                    human::size(day.text_bytes),
                    human::size(day.stored_bytes),
                    human::size(all),
                ]);
            }
        }
        self.table(
            &[
                "day",
                ">snapshots",
                ">text",
                ">stored",
                ">stored until then",
            ],
            rows,
        );
        self.line(
            "\nStored is what records took when they were saved; packed together, they take less.",
        );
        if left_out > 0 {
            let left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
            let days = human::count(left_out, "earlier day");
            self.line(format!("{days} with snapshots are left out."));
        }
    }

    fn components(&mut self, found: &Stats) {
        self.section("Most changed components");
        let Some(components) = &found.components else {
            self.line(
                "Content was not read; `--rebuild N` looks at each session's newest N states.",
            );
            return;
        };
        let rows = components.changes.iter().map(|change| {
            vec![
                human::safe(&change.name),
                indicatif::HumanCount(change.changed).to_string(),
                human::size(change.bytes),
            ]
        });
        self.table(
            &["component", ">changed", ">size in the newest state"],
            rows,
        );
        let of = compared(components, found.session.is_some());
        self.line(format!("\nCounted in {of}."));
        if components.more > 0 {
            let more = human::count(components.more, "more component");
            self.line(format!("{more} are left out."));
        }
    }

    fn damage(&mut self, found: &Stats) {
        self.section("Damage");
        if found.damage.is_empty() {
            self.line("The rows that were read are as they were written; `dalsegno verify` proves the states too.");
            return;
        }
        self.line("What follows could not be read and is in none of the figures. `dalsegno verify` tells what is lost.\n");
        for damage in &found.damage {
            let session = damage.session.as_ref().map_or_else(
                || "store".to_owned(),
                |session| format!("session {}", human::safe(session)),
            );
            let message = human::safe(&damage.message);
            self.line(format!("- {}", escape(&format!("{session}: {message}"))));
            for id in &damage.snapshots {
                self.line(format!("  - {id}"));
            }
        }
    }
}

fn bar(count: u64, most: u64) -> String {
    // What is there at all is seen.
    let length = (count.saturating_mul(BAR).div_ceil(most.max(1))).min(BAR);
    "█".repeat(usize::try_from(length).unwrap_or_default())
}

/// Text of others, which means nothing in Markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]<>#|~!&$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_never_nothing() {
        let lengths = [0, 1, 500, 1000].map(|count| bar(count, 1000).chars().count());
        assert_eq!(lengths, [0, 1, 20, 40]);
        assert_eq!(bar(0, 0), "");
    }

    #[test]
    fn names_mean_nothing_in_markdown() {
        assert_eq!(escape("a|b <i>*x*</i>"), "a\\|b \\<i\\>\\*x\\*\\</i\\>");
        assert_eq!(escape("bot/42@latest"), "bot/42@latest");
    }
}
