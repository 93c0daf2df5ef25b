//! Tables: columns that line up, one line for each row.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use dalsegno::{Snapshot, Trashed};
use jiff::Timestamp;

use crate::{human, style};

/// Lays out `rows` under `heads`. Columns whose head begins with `>` are numbers.
pub(crate) fn lay_out(heads: &[&str], rows: Vec<Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if heads.iter().any(|head| !head.is_empty()) {
        table.set_header(heads.iter().map(|head| head.trim_start_matches('>')));
    }
    table.add_rows(rows);
    for (column, head) in table.column_iter_mut().zip(heads) {
        column.set_padding((0, 2));
        if head.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

const HEADS: [&str; 8] = [
    "ID", "SESSION", "TAKEN", "KIND", ">SIZE", ">STORED", "NAME", "TAGS",
];

/// Snapshots as `snapshot list` shows them.
pub(crate) fn snapshots(snapshots: &[Snapshot]) -> String {
    let rows = snapshots.iter().map(row).collect();
    let mut lines = lay_out(&HEADS, rows).into_iter();
    let mut shown: Vec<_> = lines.next().map(style::head).into_iter().collect();
    for (line, snapshot) in lines.zip(snapshots) {
        shown.push(if snapshot.unchanged {
            style::faint(line)
        } else {
            line
        });
    }
    shown.join("\n")
}

fn row(snapshot: &Snapshot) -> Vec<String> {
    let name = match (&snapshot.name, &snapshot.label) {
        (Some(name), _) => human::safe(name),
        (None, Some(label)) => format!("({})", human::safe(label)),
        (None, None) => String::new(),
    };
    let tags: Vec<_> = snapshot.tags.iter().map(|tag| human::safe(tag)).collect();
    vec![
        human::short(snapshot.id),
        human::safe(&snapshot.session),
        human::time(snapshot.created_at),
        kind(snapshot),
        human::size(snapshot.size),
        stored(snapshot),
        name,
        tags.join(", "),
    ]
}

/// Its kind, whether it is pinned, and whether a repair had to mark it.
fn kind(snapshot: &Snapshot) -> String {
    let pinned = if snapshot.pinned { ", pinned" } else { "" };
    let repaired = match snapshot.repaired {
        Some(_) => ", repaired",
        None => "",
    };
    format!("{}{pinned}{repaired}", snapshot.kind)
}

/// The trash as `snapshot list --deleted` shows it: what `now` lets go is in it until the next cleanup.
pub(crate) fn trash(trash: &[Trashed], now: Timestamp) -> String {
    let mut heads = HEADS.to_vec();
    heads.extend(["DELETED", "KEPT UNTIL"]);
    let rows = trash.iter().map(|trashed| {
        let mut row = row(&trashed.snapshot);
        row.push(human::time(trashed.deleted_at));
        row.push(if trashed.keep_until <= now {
            "the next cleanup".to_owned()
        } else {
            human::time(trashed.keep_until)
        });
        row
    });
    let mut lines = lay_out(&heads, rows.collect()).into_iter();
    let head = lines.next().map(style::head);
    let shown: Vec<_> = head.into_iter().chain(lines).collect();
    shown.join("\n")
}

/// What a snapshot took when it was saved.
pub(crate) fn stored(snapshot: &Snapshot) -> String {
    if snapshot.unchanged {
        "unchanged".to_owned()
    } else if snapshot.same_as.is_some() {
        "reference".to_owned()
    } else {
        human::size(snapshot.stored_size)
    }
}
