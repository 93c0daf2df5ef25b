//! P4: restoring, against one `serde_json::from_slice` of the full JSON into its typed document.

use anyhow::Result;

use super::Plan;
use super::day::{keep, restores};
use super::p2::{Sample, sample};
use super::rounds::Contest;
use crate::peer;
use crate::report::{Cell, Table};
use crate::workload::chat::{self, ChatDay};
use crate::workload::queue::{self, QueueDay};
use crate::workload::{Document, Layout};

/// The queue and the chat, in both layouts.
pub fn run(plan: &Plan) -> Result<Vec<Table>> {
    let (seed, saves) = (plan.seed, plan.saves());
    let mut tables = Vec::new();
    for layout in Layout::ALL {
        let states = || QueueDay::with(seed, queue::TRACKS, saves);
        tables.push(table(
            plan,
            "200-track queue",
            layout,
            queue::RATES,
            states,
        )?);
        let states = || ChatDay::with(seed, 4, plan.messages(), saves);
        tables.push(table(plan, "growing chat", layout, chat::RATES, states)?);
    }
    Ok(tables)
}

fn table<T: Document, I: Iterator<Item = T>>(
    plan: &Plan,
    title: &str,
    layout: Layout,
    rates: &str,
    states: impl Fn() -> I,
) -> Result<Table> {
    let newest = sample(states(), plan.saves(), layout).pop();
    let newest = newest.as_slice();
    let texts: Vec<Vec<u8>> = states().map(|state| state.text(layout)).collect();
    let mut kept = Vec::new();
    // Commands are left out: starting a process is no restore's work. The engine takes part as
    // soon as it is among the peers.
    for contestant in peer::in_process() {
        kept.push(keep(&contestant, &texts, true)?);
    }
    let times = restores(&mut kept, &texts, plan.restore_rounds())?;
    let floors = floors(plan, newest)?;
    let floor = floors.first().map_or(1.0, |(_, cpu)| *cpu);

    let columns = [
        "way",
        "newest",
        "of from_slice",
        "worst of the day",
        "of from_slice",
    ];
    let title = format!("restoring, {title}, {}", layout.name());
    let mut table = Table::new("p4", title, &columns);
    table.note(rates);
    table.note(
        "CPU to have the text again; every restored text was compared with the saved one; the \
         worst is compared with from_slice of the newest, which is the largest of the chat",
    );
    for (name, cpu) in floors {
        let ratio = Cell::Times(cpu / floor);
        table.row(name, [Cell::Micros(cpu), ratio, Cell::None, Cell::None]);
    }
    for (one, time) in kept.iter().zip(times) {
        let cells = [
            Cell::Micros(time.newest_us),
            Cell::Times(time.newest_us / floor),
            Cell::Micros(time.worst_us),
            Cell::Times(time.worst_us / floor),
        ];
        table.row(one.peer.name(), cells);
    }
    Ok(table)
}

/// Parsing the newest text, typed and into any value.
fn floors<T: Document>(plan: &Plan, newest: &[Sample<T>]) -> Result<Vec<(String, f64)>> {
    let mut contest = Contest::default();
    for sample in newest {
        contest.add("serde_json::from_slice, typed (the floor)", || {
            Ok(serde_json::from_slice::<T>(&sample.text)?)
        });
        contest.add("serde_json::from_slice, any value", || {
            Ok(serde_json::from_slice::<serde_json::Value>(&sample.text)?)
        });
    }
    let timings = contest.run(plan.rounds(), 1)?;
    Ok(timings
        .into_iter()
        .map(|t| (t.name, t.median.cpu_us))
        .collect())
}
