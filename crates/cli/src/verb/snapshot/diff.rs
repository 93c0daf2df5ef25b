//! `dalsegno snapshot diff`: what differs between two states.

use std::time::Duration;

use clap::Args;
use dalsegno::{
    Change, ComponentDiff, Counts, Diff as Found, Engine, ErrorKind, Line, Mark, Restored,
    Snapshot, pretty,
};
use similar::{ChangeTag, TextDiff};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style, table};

/// Of one component, this many differences are shown as text.
const EACH: usize = 20;
/// Two long texts that have little in common are compared more coarsely after this.
const PATIENCE: Duration = Duration::from_secs(5);

/// Show what differs between two states: items that came, went, moved or changed
///
/// By component, in the words of the state: tracks by title, messages by who said what. White space,
/// the order of members and the spelling of strings are no difference. With --json, every difference
/// with its values. The exit code is 0 whether or not the states differ.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot diff bot/42@-1 bot/42@latest
  dalsegno snapshot diff party bot/42@latest --component queue
  dalsegno snapshot diff chat/garden@-5 chat/garden@latest --stat
  dalsegno snapshot diff game/bell@turn:40 game/bell@turn:42 --unified")]
pub(crate) struct Diff {
    /// The first snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    from: String,
    /// The second snapshot, of the same session or of another
    #[arg(value_name = "REF")]
    to: String,
    /// Only this member of the top-level object; may be given several times
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// One line for each component: how many differences, and their bytes
    #[arg(long, conflicts_with = "unified")]
    stat: bool,
    /// The two states indented, as a unified diff of lines
    #[arg(long)]
    unified: bool,
}

impl Diff {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        if out.is_json() && (self.stat || self.unified) {
            return Err(Failure::usage(
                "--json has every difference and all counts, so --stat and --unified have no place there",
            ));
        }
        let engine = Place::open(global)?;
        if self.unified {
            return self.unified(&engine, out);
        }
        let mut diff = engine.diff(&self.from, &self.to)?;
        if !self.components.is_empty() {
            self.only(&engine, &mut diff)?;
        }
        if out.is_json() {
            return out.json(&diff);
        }
        out.line(heading(&diff))?;
        if self.stat && !diff.components.is_empty() {
            return out.line(stat(&diff).join("\n"));
        }
        for line in self.lines(&diff) {
            out.line(line)?;
        }
        Ok(())
    }

    /// Leaves out the other components. One that is in neither state is a mistake.
    fn only(&self, engine: &Engine, diff: &mut Found) -> Result<()> {
        diff.components
            .retain(|component| self.components.contains(&component.name));
        let known = |name: &String| {
            diff.components
                .iter()
                .any(|component| component.name == *name)
        };
        if self.components.iter().all(known) {
            return Ok(());
        }
        let both = [
            engine.restore(&diff.from.id.to_string())?,
            engine.restore(&diff.to.id.to_string())?,
        ];
        self.check(&both)
    }

    fn check(&self, both: &[Restored; 2]) -> Result<()> {
        let mut names = Vec::new();
        for state in both {
            for name in state.components()? {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        match self.components.iter().find(|name| !names.contains(name)) {
            Some(missing) => Err(Failure::new(
                ErrorKind::NotFound,
                format!(
                    "neither state has a component '{missing}'; they have {}",
                    names.join(", ")
                ),
            )),
            None => Ok(()),
        }
    }

    fn lines(&self, diff: &Found) -> Vec<String> {
        if !self.components.is_empty() && diff.components.is_empty() {
            return vec![format!(
                "  no difference in {}",
                human::safe(&self.components.join(", "))
            )];
        }
        diff.lines(EACH).iter().map(line).collect()
    }

    fn unified(&self, engine: &Engine, out: &mut Out) -> Result<()> {
        let both = [engine.restore(&self.from)?, engine.restore(&self.to)?];
        if !self.components.is_empty() {
            self.check(&both)?;
        }
        let [from, to] = &both;
        let (old, new) = (self.indented(from)?, self.indented(to)?);
        let names = [from, to].map(|state| name(state.snapshot()));
        for line in hunks(&old, &new, &names) {
            out.line(line)?;
        }
        if old == new {
            let same = from.text() == to.text();
            out.note(if same || !self.components.is_empty() {
                "no line differs"
            } else {
                "no line differs: only white space does"
            });
        }
        Ok(())
    }

    /// What is compared of a state, a line for each value.
    fn indented(&self, state: &Restored) -> Result<String> {
        let text = if self.components.is_empty() {
            pretty(state.text())
        } else {
            let there = state.components()?;
            let mut members = Vec::new();
            for name in self.components.iter().filter(|name| there.contains(name)) {
                let key =
                    serde_json::to_string(name).map_err(|_| Failure::usage("a name is no text"))?;
                let value = String::from_utf8_lossy(state.component(name)?).into_owned();
                members.push(format!("{key}:{value}"));
            }
            pretty(format!("{{{}}}", members.join(",")).as_bytes())
        };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn name(snapshot: &Snapshot) -> String {
    format!(
        "{} of {}, taken {}",
        human::short(snapshot.id),
        human::safe(&snapshot.session),
        human::time(snapshot.created_at)
    )
}

fn heading(diff: &Found) -> String {
    let (from, to) = (&diff.from, &diff.to);
    let second = if from.session == to.session {
        format!(
            "{}, taken {}",
            human::short(to.id),
            human::time(to.created_at)
        )
    } else {
        name(to)
    };
    style::head(format!("{} → {second}", name(from)))
}

/// A line of a comparison, with its mark.
pub(crate) fn line(line: &Line) -> String {
    let text = human::safe(&line.text);
    let text = match line.mark {
        Mark::Added => style::added(format!("+ {text}")),
        Mark::Removed => style::removed(format!("- {text}")),
        Mark::Moved => style::moved(format!("> {text}")),
        Mark::Changed => style::changed(format!("~ {text}")),
        Mark::Note => format!("  {text}"),
    };
    let indent = " ".repeat(2 * line.indent);
    if line.place.is_empty() {
        format!("{indent}{text}")
    } else {
        format!("{indent}{text}  {}", style::faint(human::safe(&line.place)))
    }
}

/// A line for each component, and one for all.
fn stat(diff: &Found) -> Vec<String> {
    let heads = [
        "COMPONENT",
        "",
        ">ADDED",
        ">REMOVED",
        ">MOVED",
        ">CHANGED",
        ">BYTES +",
        ">BYTES -",
    ];
    let mut rows: Vec<Vec<String>> = diff.components.iter().map(row).collect();
    if rows.len() > 1 {
        rows.push(counted("all", "", &diff.counts()));
    }
    let mut lines = table::lay_out(&heads, rows);
    if let Some(head) = lines.first_mut() {
        *head = style::head(&*head);
    }
    lines
}

fn row(component: &ComponentDiff) -> Vec<String> {
    let word = match component.change {
        _ if component.only_spelling => "spelling",
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed | Change::Same => "changed",
    };
    counted(&human::safe(&component.name), word, &component.counts)
}

fn counted(name: &str, word: &str, counts: &Counts) -> Vec<String> {
    let numbers = [counts.added, counts.removed, counts.moved, counts.changed];
    let mut row = vec![name.to_owned(), word.to_owned()];
    row.extend(numbers.iter().map(ToString::to_string));
    row.extend([counts.bytes_added, counts.bytes_removed].map(human::size));
    row
}

/// The lines of a unified diff, with three lines around each change.
fn hunks(old: &str, new: &str, names: &[String; 2]) -> Vec<String> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(style::faint(hunk.header()));
        for change in hunk.iter_changes() {
            let text = human::safe(change.value().trim_end_matches('\n'));
            lines.push(match change.tag() {
                ChangeTag::Equal => format!(" {text}"),
                ChangeTag::Delete => style::removed(format!("-{text}")),
                ChangeTag::Insert => style::added(format!("+{text}")),
            });
        }
    }
    if !lines.is_empty() {
        let [from, to] = names;
        lines.insert(0, style::head(format!("+++ {to}")));
        lines.insert(0, style::head(format!("--- {from}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unified_diff_has_only_what_is_near_a_change() {
        let text = |n: usize| {
            (0..40)
                .map(|line| format!("{}\n", if line == 20 { n } else { line }))
                .collect::<String>()
        };
        let names = ["a".to_owned(), "b".to_owned()];
        let lines = hunks(&text(1), &text(2), &names);
        let plain: Vec<String> = lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect();
        assert_eq!(
            plain,
            [
                "--- a",
                "+++ b",
                "@@ -18,7 +18,7 @@",
                " 17",
                " 18",
                " 19",
                "-1",
                "+2",
                " 21",
                " 22",
                " 23"
            ]
        );
        assert!(hunks("x", "x", &names).is_empty());
    }
}
