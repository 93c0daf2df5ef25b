//! P3: ten thousand sessions in one durable tick.

use anyhow::Result;

use super::Plan;
use crate::report::Findings;

mod commits;
mod ticks;

/// Commits of records, then whole ticks.
pub fn run(plan: &Plan) -> Result<Findings> {
    let mut found = Findings::default();
    let sizes = ticks::run(plan, &mut found)?;
    commits::run(plan, &mut found, &sizes)?;
    Ok(found)
}
