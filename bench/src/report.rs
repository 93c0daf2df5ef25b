//! Tables of what was measured and one of what was to be reached, on the terminal and as JSON.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, presets::ASCII_MARKDOWN};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::machine::Machine;

/// Everything one run found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// When, as given by the caller.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// The seed of all workloads.
    pub seed: u64,
    /// True for a run on shorter workloads: its ratios are lower.
    pub quick: bool,
    /// The measures' tables.
    pub tables: Vec<Table>,
    /// What was to be reached.
    pub claims: Vec<Claim>,
}

/// What a measure found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Its tables.
    pub tables: Vec<Table>,
    /// Its figures that have a target.
    pub claims: Vec<Claim>,
}

/// A ratio that is to be reached.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// The measure, such as `p1`.
    pub id: &'static str,
    /// What is compared with what, on which workload.
    pub what: String,
    /// What to reach.
    pub target: Bound,
    /// What was found.
    pub measured: f64,
    /// Whether that is enough.
    pub reached: bool,
}

/// On which side of a number a ratio has to lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The number or more.
    AtLeast(f64),
    /// The number or less.
    AtMost(f64),
}

impl Findings {
    /// Notes that `measured` was to be within `target`.
    pub fn claim(
        &mut self,
        id: &'static str,
        what: impl Into<String>,
        target: Bound,
        measured: f64,
    ) {
        let reached = match target {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        };
        self.claims.push(Claim {
            id,
            what: what.into(),
            target,
            measured,
            reached,
        });
    }
}

/// One table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// The measure, such as `p1`.
    pub id: &'static str,
    /// What the table shows.
    pub title: String,
    /// Edit rates, sizes, memory: what the figures rest on.
    pub notes: Vec<String>,
    /// Headings; the first is that of the rows' names.
    pub columns: Vec<String>,
    /// One row per contestant.
    #[serde(serialize_with = "rows_as_json")]
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who.
    pub name: String,
    /// One figure for each column after the first.
    pub cells: Vec<Cell>,
}

/// One figure, with the unit it is printed in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// A number of bytes.
    Bytes(u64),
    /// Microseconds.
    Micros(f64),
    /// A ratio, printed with `×`.
    Times(f64),
    /// A number of things, or things per second.
    Count(f64),
    /// A ratio to reach.
    Target(Bound),
    /// Whether it was.
    Reached(bool),
    /// Not measured.
    None,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(id: &'static str, title: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            id,
            title: title.into(),
            notes: Vec::new(),
            columns: columns.iter().map(|&c| c.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a line below the title.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds a row.
    pub fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row {
            name: name.into(),
            cells: cells.into_iter().collect(),
        });
    }

    /// The table as text.
    #[must_use]
    pub fn print(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(&self.columns);
        for row in &self.rows {
            let name = std::iter::once(row.name.clone());
            table.add_row(name.chain(row.cells.iter().map(Cell::print)));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut text = format!("## {} · {}\n\n", self.id.to_uppercase(), self.title);
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        let _ = writeln!(text, "\n{table}");
        text
    }
}

impl Report {
    /// The head of the report as text; the tables follow as they are made.
    #[must_use]
    pub fn head(&self) -> String {
        let length = if self.quick { ", quick" } else { "" };
        format!(
            "# Measures of {}\n\n- {}\n- seed {}{length}; CPU times unless told otherwise\n",
            self.date,
            self.machine.line(),
            self.seed
        )
    }

    /// The targets, as the table that ends the report.
    #[must_use]
    pub fn verdict(&self) -> Table {
        let columns = ["what", "target", "measured", "reached"];
        let mut table = Table::new("all", "targets", &columns);
        let reached = self.claims.iter().filter(|claim| claim.reached).count();
        table.note(format!("{reached} of {} reached", self.claims.len()));
        if self.quick {
            table.note("on shorter workloads: these are not the figures the targets are for");
        }
        for claim in &self.claims {
            let cells = [
                Cell::Target(claim.target),
                Cell::Times(claim.measured),
                Cell::Reached(claim.reached),
            ];
            table.row(
                format!("{} · {}", claim.id.to_uppercase(), claim.what),
                cells,
            );
        }
        table
    }
}

impl Cell {
    fn print(&self) -> String {
        match *self {
            Self::Bytes(n) => with_unit(n as f64, &[("GB", 1e9), ("MB", 1e6), ("kB", 1e3)], "B"),
            Self::Micros(n) => with_unit(n, &[("s", 1e6), ("ms", 1e3)], "µs"),
            Self::Times(n) => format!("{} ×", digits(n)),
            Self::Count(n) => with_unit(n, &[("M", 1e6)], "").trim().to_owned(),
            Self::Target(Bound::AtLeast(n)) => format!("≥ {n} ×"),
            Self::Target(Bound::AtMost(n)) => format!("≤ {n} ×"),
            Self::Reached(true) => "yes".to_owned(),
            Self::Reached(false) => "NO".to_owned(),
            Self::None => "—".to_owned(),
        }
    }

    fn value(&self) -> Value {
        match *self {
            Self::Bytes(n) => n.into(),
            Self::Micros(n) | Self::Times(n) | Self::Count(n) => n.into(),
            Self::Target(Bound::AtLeast(n) | Bound::AtMost(n)) => n.into(),
            Self::Reached(reached) => reached.into(),
            Self::None => Value::Null,
        }
    }

    const fn unit(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "bytes",
            Self::Micros(_) => "us",
            Self::Times(_) => "times",
            Self::Count(_) => "count",
            Self::Target(Bound::AtLeast(_)) => "times, at least",
            Self::Target(Bound::AtMost(_)) => "times, at most",
            Self::Reached(_) => "reached",
            Self::None => "none",
        }
    }
}

fn with_unit(n: f64, units: &[(&str, f64)], smallest: &str) -> String {
    for (unit, size) in units {
        if n >= *size {
            return format!("{} {unit}", digits(n / size));
        }
    }
    format!("{} {smallest}", digits(n))
}

/// Three significant digits.
fn digits(n: f64) -> String {
    match n.abs() {
        a if a >= 99.95 => format!("{n:.0}"),
        a if a >= 9.995 => format!("{n:.1}"),
        a if a >= 0.9995 => format!("{n:.2}"),
        _ => format!("{n:.3}"),
    }
}

/// Rows as objects: a name, and a figure with its unit for each column after the first.
fn rows_as_json<S: serde::Serializer>(rows: &[Row], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(rows.iter().map(|row| {
        let figure = |cell: &Cell| {
            let mut figure = Map::new();
            figure.insert("value".to_owned(), cell.value());
            figure.insert("unit".to_owned(), cell.unit().into());
            Value::Object(figure)
        };
        let mut object = Map::new();
        object.insert("name".to_owned(), row.name.as_str().into());
        object.insert("figures".to_owned(), row.cells.iter().map(figure).collect());
        Value::Object(object)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(Cell::Bytes(2_270_000).print(), "2.27 MB");
        assert_eq!(Cell::Bytes(141).print(), "141 B");
        assert_eq!(Cell::Micros(0.0421).print(), "0.042 µs");
        assert_eq!(Cell::Micros(12_345.0).print(), "12.3 ms");
        assert_eq!(Cell::Times(255.4).print(), "255 ×");
        assert_eq!(Cell::Count(10_000.0).print(), "10000");
    }

    #[test]
    fn a_claim_is_reached_on_the_right_side() {
        let mut found = Findings::default();
        for (target, measured) in [
            (Bound::AtLeast(2.0), 2.0),
            (Bound::AtLeast(2.0), 1.99),
            (Bound::AtMost(0.1), 0.1),
            (Bound::AtMost(0.1), 0.11),
        ] {
            found.claim("p0", "a test", target, measured);
        }
        let reached: Vec<_> = found.claims.iter().map(|claim| claim.reached).collect();
        assert_eq!(reached, [true, false, true, false]);
        let json = serde_json::to_value(&found.claims[1]).expect("serialises");
        assert_eq!(json["target"]["at_least"], 2.0);
        assert_eq!(json["reached"], false);
    }

    #[test]
    fn a_table_is_aligned_and_in_json() {
        let mut table = Table::new("p0", "a test", &["who", "size"]);
        table.note("nothing rests on this");
        table.row("one", [Cell::Bytes(1500)]);
        table.row("two", [Cell::None]);
        let text = table.print();
        assert!(text.contains("| one | 1.50 kB |"), "{text}");
        let json = serde_json::to_value(&table).expect("serialises");
        assert_eq!(json["rows"][0]["figures"][0]["value"], 1500);
        assert_eq!(json["rows"][1]["figures"][0]["value"], Value::Null);
    }
}
