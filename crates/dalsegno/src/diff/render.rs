//! A diff as lines for people: one for each difference, as many as can be read.

use std::fmt;

use super::change::{ComponentDiff, Diff, Difference, DifferenceKind, Json};
use super::describe;
use crate::restore::Change;

/// Of what differs inside one item, this many lines are shown.
const INSIDE: usize = 6;
/// How many characters of a value are shown.
const WIDTH: usize = 48;

/// One line: what happened, to what, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// What happened.
    pub mark: Mark,
    /// How far it stands inside another.
    pub indent: usize,
    /// What it happened to.
    pub text: String,
    /// Where, if `text` does not say it; else empty.
    pub place: String,
}

/// What a line says, as its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `+`
    Added,
    /// `-`
    Removed,
    /// `>`
    Moved,
    /// `~`
    Changed,
    /// A remark, without a mark of its own.
    Note,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:1$}", "", 2 * self.indent)?;
        match self.mark.symbol() {
            Some(symbol) => write!(f, "{symbol} {}", self.text)?,
            None => write!(f, "  {}", self.text)?,
        }
        if self.place.is_empty() {
            return Ok(());
        }
        write!(f, "  {}", self.place)
    }
}

impl Mark {
    /// The character; a remark has none.
    #[must_use]
    pub fn symbol(self) -> Option<char> {
        match self {
            Self::Added => Some('+'),
            Self::Removed => Some('-'),
            Self::Moved => Some('>'),
            Self::Changed => Some('~'),
            Self::Note => None,
        }
    }

    fn of(kind: DifferenceKind) -> Self {
        match kind {
            DifferenceKind::Added => Self::Added,
            DifferenceKind::Removed => Self::Removed,
            DifferenceKind::Moved => Self::Moved,
            DifferenceKind::Changed => Self::Changed,
        }
    }
}

impl Diff {
    /// The differences as lines for people, at most `each` of one component; a last line says how many
    /// more there are. Serialise the diff to have all of them.
    #[must_use]
    pub fn lines(&self, each: usize) -> Vec<Line> {
        if self.identical {
            return vec![note("the two states are the same, byte for byte")];
        }
        if self.components.is_empty() {
            return vec![note(
                "only white space, the order of members or spelling differs",
            )];
        }
        let components = self.components.iter();
        components
            .flat_map(|component| component.lines(each))
            .collect()
    }
}

impl ComponentDiff {
    /// The differences as lines for people, at most `each`.
    #[must_use]
    pub fn lines(&self, each: usize) -> Vec<Line> {
        if self.only_spelling {
            let text = format!(
                "{}: only white space, the order of members or spelling differs",
                self.name
            );
            return vec![note(&text)];
        }
        let whole = self.change != Change::Changed;
        let mut lines: Vec<Line> = Vec::new();
        for difference in self.differences.iter().take(each) {
            lines.push(line(difference, 0, whole));
            lines.extend(inside(difference, 1));
        }
        let more = self.differences.get(each..).unwrap_or_default();
        if !more.is_empty() {
            lines.push(note(&format!(
                "… and {} more in {}: {}",
                more.len(),
                self.name,
                kinds(more)
            )));
        }
        lines
    }
}

fn note(text: &str) -> Line {
    Line {
        mark: Mark::Note,
        indent: 0,
        text: text.to_owned(),
        place: String::new(),
    }
}

/// `12 added, 3 moved`.
fn kinds(differences: &[Difference]) -> String {
    let words = [
        (DifferenceKind::Added, "added"),
        (DifferenceKind::Removed, "removed"),
        (DifferenceKind::Moved, "moved"),
        (DifferenceKind::Changed, "changed"),
    ];
    let counted = words.iter().filter_map(|(kind, word)| {
        let count = differences.iter().filter(|d| d.kind == *kind).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    counted.collect::<Vec<_>>().join(", ")
}

fn inside(difference: &Difference, indent: usize) -> Vec<Line> {
    let all = &difference.inside;
    let mut lines: Vec<Line> = all
        .iter()
        .take(INSIDE)
        .map(|inner| line(inner, indent, false))
        .collect();
    if let Some(more) = all.len().checked_sub(INSIDE).filter(|more| *more > 0) {
        lines.push(Line {
            indent,
            ..note(&format!("… and {more} more"))
        });
    }
    lines
}

fn line(difference: &Difference, indent: usize, whole: bool) -> Line {
    let mark = Mark::of(difference.kind);
    let (text, place) = match (difference.old_index, difference.new_index) {
        (None, None) => (member(difference, whole), String::new()),
        (old, new) => item(difference, old, new),
    };
    Line {
        mark,
        indent,
        text,
        place,
    }
}

/// `position 1200 → 4000`.
fn member(difference: &Difference, whole: bool) -> String {
    let value = |json: &Option<Json>| json.as_ref().map(|json| shown(json.as_str()));
    let name = match difference.path.as_str() {
        "" => "the whole document",
        path => path,
    };
    match (value(&difference.before), value(&difference.after)) {
        (Some(before), Some(after)) => {
            let (before, after) = parted(difference).unwrap_or((before, after));
            format!("{name} {before} → {after}")
        }
        (before, after) => {
            let value = before.or(after).unwrap_or_default();
            let value = difference.label.clone().unwrap_or(value);
            let kind = if whole { " (whole component)" } else { "" };
            format!("{name} {value}{kind}")
        }
    }
}

/// The label, and where in its list.
fn item(difference: &Difference, old: Option<usize>, new: Option<usize>) -> (String, String) {
    let label = difference.label.clone().unwrap_or_default();
    let path = &difference.path;
    let place = match (old, new) {
        (Some(old), Some(new)) if old != new => format!("{path}[{old} → {new}]"),
        (_, Some(at)) | (Some(at), None) => format!("{path}[{at}]"),
        (None, None) => path.clone(),
    };
    let text = match (&difference.before, &difference.after) {
        (Some(before), Some(after)) => {
            let values = (shown(before.as_str()), shown(after.as_str()));
            let (before, after) = parted(difference).unwrap_or(values);
            format!("{before} → {after}")
        }
        _ => label,
    };
    let moved = if difference.moved { "moved, " } else { "" };
    let text = match difference.kind {
        DifferenceKind::Moved => format!("moved {text}"),
        _ => format!("{moved}{text}"),
    };
    (text, place)
}

fn shown(json: &str) -> String {
    if json.starts_with('{') {
        return describe::label(json.as_bytes());
    }
    describe::cut(
        json.get(..json.floor_char_boundary(8 * WIDTH))
            .unwrap_or(json),
        WIDTH,
    )
}

/// Two long values that begin alike, from where they part.
fn parted(difference: &Difference) -> Option<(String, String)> {
    let (before, after) = (
        difference.before.as_ref()?.as_str(),
        difference.after.as_ref()?.as_str(),
    );
    let same = before
        .char_indices()
        .zip(after.chars())
        .find(|((_, a), b)| a != b)
        .map_or(before.len().min(after.len()), |((at, _), _)| at);
    if before.starts_with('{') || same <= WIDTH / 2 || before.len().max(after.len()) <= WIDTH {
        return None;
    }
    let from = before.floor_char_boundary(same.saturating_sub(WIDTH / 4));
    let rest = |text: &str| shown(&format!("…{}", text.get(from..).unwrap_or_default()));
    Some((rest(before), rest(after)))
}
