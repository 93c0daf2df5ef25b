//! P4: restoring, against one `serde_json::from_slice` of the full JSON into its typed document.

use anyhow::Result;
use dalsegno::Engine;
use serde_json::Value;

use super::Plan;
use super::cpu::spent;
use super::day::{Restores, Way, keep, restores};
use crate::peer;
use crate::peer::Peer;
use crate::peer::dalsegno::Dalsegno;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::chat::{self, ChatDay};
use crate::workload::queue::{self, QueueDay};
use crate::workload::{Document, Layout};

const FLOOR: &str = "serde_json::from_slice, typed (the floor)";
const ENGINE: &str = "Dalsegno, from an open store";

/// The queue and the chat, in both layouts.
pub fn run(plan: &Plan) -> Result<Findings> {
    let (seed, saves) = (plan.seed, plan.saves());
    let mut found = Findings::default();
    for layout in Layout::ALL {
        let states = QueueDay::with(seed, queue::TRACKS, saves);
        let title = format!("200-track queue, {}", layout.name());
        day(plan, &mut found, &title, queue::RATES, layout, states)?;
        let states = ChatDay::with(seed, 4, plan.messages(), saves);
        let title = format!("growing chat, {}", layout.name());
        day(plan, &mut found, &title, chat::RATES, layout, states)?;
    }
    Ok(found)
}

fn day<T: Document>(
    plan: &Plan,
    found: &mut Findings,
    title: &str,
    rates: &str,
    layout: Layout,
    states: impl Iterator<Item = T>,
) -> Result<()> {
    let texts: Vec<Vec<u8>> = states.map(|state| state.text(layout)).collect();
    let folder = tempfile::tempdir()?;
    let mut day = Dalsegno::create(folder.path(), false)?;
    texts.iter().try_for_each(|text| day.save(text))?;
    day.finish()?;
    let open = day.open()?;

    let ways = vec![
        Way::value(FLOOR, |i| Ok(serde_json::from_slice::<T>(&texts[i])?)),
        Way::value("serde_json::from_slice, any value", |i| {
            Ok(serde_json::from_slice::<Value>(&texts[i])?)
        }),
        Way::text(ENGINE, |i| Ok(open.restore(day.id(i)?)?.into_text())),
        Way::value("… and parsed into the typed document", |i| {
            Ok(open.restore(day.id(i)?)?.to::<T>()?)
        }),
        Way::timed("… the first restore after opening", |i| {
            let fresh: Engine = day.open()?;
            spent(|| Ok(fresh.restore(day.id(i)?)?.into_text()))
        }),
    ];
    let mut times = restores(ways, &texts, plan.rounds())?;
    // The others in rounds of their own: some move so much memory that nothing of those before
    // stays in the processor's caches. Commands are left out: starting a process is no restore's
    // work.
    let mut kept = Vec::new();
    for contestant in peer::in_process() {
        if contestant.key != peer::dalsegno::KEY {
            kept.push(keep(&contestant, &texts, true)?);
        }
    }
    let ways = kept.iter_mut().map(Way::of).collect();
    times.extend(restores(ways, &texts, plan.restore_rounds())?);

    let columns = [
        "way",
        "newest",
        "of from_slice",
        "median of the day",
        "worst of the day",
        "of from_slice of the newest",
        "worst, of from_slice of the same state",
    ];
    let mut table = Table::new("p4", format!("restoring, {title}"), &columns);
    table.note(rates);
    table.note(
        "CPU to have the text again from files that the system holds in memory; every restored text \
         was compared with the saved one; the states of a chat grow through the day, so that the \
         newest is the largest, and the last column is about its smallest",
    );
    let floor = &times[0];
    for time in times.iter().filter(|time| time.name == ENGINE) {
        let (state, _) = worst_of_same(time, floor);
        table.note(format!(
            "Dalsegno's largest multiple of from_slice is of state {state}, which has {} bytes: \
             {:.0} µs, where from_slice takes {:.0}",
            texts[state].len(),
            time.each_us[state],
            floor.each_us[state]
        ));
    }
    for time in &times {
        let cells = [
            Cell::Micros(time.newest_us()),
            Cell::Times(time.newest_us() / floor.newest_us()),
            Cell::Micros(time.median_us()),
            Cell::Micros(time.worst_us()),
            Cell::Times(time.worst_us() / floor.newest_us()),
            Cell::Times(worst_of_same(time, floor).1),
        ];
        table.row(time.name.as_str(), cells);
    }
    found.tables.push(table);
    for time in times.iter().filter(|time| time.name == ENGINE) {
        let newest = format!("CPU to restore the newest, {title}: of typed from_slice");
        let worst = format!("CPU to restore any of the day, {title}: of typed from_slice");
        let same = format!("{worst} of that state");
        found.claim(
            "p4",
            newest,
            Bound::AtMost(2.0),
            time.newest_us() / floor.newest_us(),
        );
        let worst = format!("{worst} of the newest");
        found.claim(
            "p4",
            worst,
            Bound::AtMost(3.0),
            time.worst_us() / floor.newest_us(),
        );
        found.claim("p4", same, Bound::AtMost(3.0), worst_of_same(time, floor).1);
    }
    Ok(())
}

/// The state whose time is the largest multiple of the floor's for the same state, and how large.
fn worst_of_same(time: &Restores, floor: &Restores) -> (usize, f64) {
    let pairs = time.each_us.iter().zip(&floor.each_us);
    let ratios = pairs.map(|(own, floor)| own / floor).enumerate();
    ratios.fold(
        (0, 0.0),
        |worst, next| if next.1 > worst.1 { next } else { worst },
    )
}
