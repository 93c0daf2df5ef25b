//! `dalsegno hermes generations`.

use std::path::PathBuf;

use clap::Args;
use dalsegno_hermes::{Count, backup_path, count, generations};
use serde::Serialize;

use super::nothing_there;
use crate::failure::Result;
use crate::output::Out;
use crate::{human, style, table};

/// List the earlier states that are kept of sessions
///
/// The newest first. An intent says that messages went on purpose; what went without one comes back with `recover`
/// where the backup has more messages, or where the file is torn. `recover --from FILE` puts any of them back.
/// Nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno hermes generations sessions/20261121_0042.json
  dalsegno hermes generations sessions/*.json --json | jq 'select(.intent == null)'")]
pub(crate) struct Generations {
    /// The sessions' files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// One of them, as it is shown.
#[derive(Serialize)]
struct Shown {
    path: PathBuf,
    at: jiff::Timestamp,
    intent: Option<String>,
    bytes: u64,
    messages: Count,
}

impl Generations {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let mut rows = Vec::new();
        let mut failed = None;
        for path in &self.paths {
            let kept = match generations(path) {
                Ok(kept) => kept,
                Err(error) => {
                    failed = failed.or_else(|| Some(error.into()));
                    continue;
                }
            };
            if kept.is_empty() && !path.exists() && !backup_path(path)?.exists() {
                failed = failed.or_else(|| Some(nothing_there(path)));
            }
            for generation in kept {
                let shown = Shown {
                    messages: count(&generation.path),
                    path: generation.path,
                    at: generation.at,
                    intent: generation.intent,
                    bytes: generation.size,
                };
                if out.is_json() {
                    out.json(&shown)?;
                } else {
                    rows.push(row(&shown));
                }
            }
        }
        if rows.is_empty() && failed.is_none() && !out.is_json() {
            out.note("no earlier state is kept beside the backup");
        }
        if !rows.is_empty() {
            let heads = ["FILE", ">MESSAGES", ">SIZE", "INTENT"];
            let mut lines = table::lay_out(&heads, rows).into_iter();
            if let Some(head) = lines.next() {
                out.line(style::head(head))?;
            }
            for line in lines {
                out.line(line)?;
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn row(shown: &Shown) -> Vec<String> {
    // The name says when.
    vec![
        human::safe(&shown.path.display().to_string()),
        shown.messages.to_i64().to_string(),
        human::size(shown.bytes),
        human::safe(shown.intent.as_deref().unwrap_or("-")),
    ]
}
