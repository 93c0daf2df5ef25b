//! A player: its state, and the one place through which its node is told.

mod agree;
mod commands;
mod heard;
mod load;
mod lost;
mod play;
mod state;
mod still;
mod stored;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use dalsegno::{Document, Error, ErrorKind, Result};
use jiff::Timestamp;
use tokio::sync::{Mutex as Turn, Notify, mpsc, oneshot};

pub use agree::Agreed;
pub(crate) use heard::Next;
pub(crate) use load::apply;
pub use load::{Component, LoadedPlayer};
pub(crate) use play::look_up;
pub use state::State;
pub use stored::Whereabouts;
pub(crate) use stored::unreadable;

use crate::event::{Happened, Told};
use crate::lavalink::{Event, NodePlayer, PlayerChange, PlayerState, VoiceServer};
use crate::node::Node;
use crate::world::World;
use lost::Lost;

/// A player of a guild. Clones are the same player.
#[derive(Clone)]
pub struct Player {
    shared: Arc<Shared>,
}

struct Shared {
    guild: u64,
    world: Weak<World>,
    state: Mutex<State>,
    /// One change at a time: whoever changes the node has this.
    turn: Turn<()>,
    seat: Mutex<Seat>,
    mail: mpsc::UnboundedSender<Mail>,
    /// It stands still no longer.
    moves: Notify,
}

/// What its node told, in the order in which it did.
enum Mail {
    Event(Event),
    /// All that was told before is to be done with.
    Done(oneshot::Sender<()>),
}

/// Where it is, which is no part of its state.
#[derive(Default)]
struct Seat {
    node: Option<Arc<Node>>,
    /// The session of that node in which it was last found or put.
    session: Option<String>,
    /// To connect on another node; never stored.
    voice: Option<VoiceServer>,
    /// What was said of items that went since it was last saved.
    said: Vec<String>,
    /// Since when nothing is heard of its node.
    lost: Option<Lost>,
    /// Why its node may not play what it says here, where that is so.
    astray: Option<String>,
    /// Why nobody may change it now, where that is so.
    still: Option<String>,
    /// What its node told meanwhile.
    missed: Vec<Event>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Player {
    /// A player whose mail is read by a task of the runtime that this is called in.
    pub(crate) fn new(guild: u64, world: &Arc<World>, state: State) -> Self {
        let (mail, mut arrived) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            guild,
            world: Arc::downgrade(world),
            state: Mutex::new(state),
            turn: Turn::new(()),
            seat: Mutex::default(),
            mail,
            moves: Notify::new(),
        });
        let reader = Arc::downgrade(&shared);
        tokio::spawn(async move {
            while let Some(mail) = arrived.recv().await {
                let Some(shared) = reader.upgrade() else {
                    return;
                };
                match mail {
                    Mail::Event(event) => Self { shared }.hear(event).await,
                    // Whoever asked may have gone.
                    Mail::Done(done) => drop(done.send(())),
                }
            }
        });
        Self { shared }
    }

    /// Its node told something.
    pub(crate) fn told(&self, event: Event) {
        // Its reader lives as long as it does.
        drop(self.shared.mail.send(Mail::Event(event)));
    }

    /// Waits until all that its node told so far is done with.
    pub(crate) async fn caught_up(&self) {
        let (done, waits) = oneshot::channel();
        drop(self.shared.mail.send(Mail::Done(done)));
        drop(waits.await);
    }

    /// Its guild.
    #[must_use]
    pub fn guild(&self) -> u64 {
        self.shared.guild
    }

    /// Its state as it is now.
    #[must_use]
    pub fn state(&self) -> State {
        self.locked().clone()
    }

    pub(crate) fn locked(&self) -> MutexGuard<'_, State> {
        locked(&self.shared.state)
    }

    /// The node that it is on.
    #[must_use]
    pub fn node(&self) -> Option<Arc<Node>> {
        locked(&self.shared.seat).node.clone()
    }

    pub(crate) fn sit(&self, node: Option<Arc<Node>>) {
        locked(&self.shared.seat).node = node;
    }

    /// It is in this session of its node. That the node has a new one does not bring it there.
    pub(crate) fn sit_in(&self, session: Option<String>) {
        locked(&self.shared.seat).session = session;
    }

    pub(crate) fn voice(&self) -> Option<VoiceServer> {
        locked(&self.shared.seat).voice.clone()
    }

    pub(crate) fn keep_voice(&self, voice: Option<VoiceServer>) {
        locked(&self.shared.seat).voice = voice;
    }

    /// Where it is, as a snapshot tells it.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        let seat = locked(&self.shared.seat);
        Whereabouts {
            session: seat.session.clone(),
            node: seat.node.as_ref().map(|node| node.name().to_owned()),
            heard: seat.lost.map(|lost| lost.at),
        }
    }

    /// The document of its state at this moment, which is consistent: no change is half in it.
    ///
    /// # Errors
    /// `InvalidInput` where what is kept with a track is nested too deep.
    pub fn document(&self) -> Result<Document> {
        self.captured().map(|(_, _, document)| document)
    }

    /// Its document with the state that is in it, and where its track is by that, in milliseconds.
    pub(crate) fn captured(&self) -> Result<(State, u64, Document)> {
        let mut at = self.whereabouts();
        let mut state = self.state();
        // Until it is stored it may take a while, in which a track that plays goes on.
        at.heard = at
            .heard
            .or_else(|| state.place.moves().then(Timestamp::now));
        if let Ok(world) = self.world() {
            world.plugins.save(self.guild(), &mut state.plugins);
        }
        // Of a node that is gone, nobody knows more than what it said last.
        let now = self.lost().unwrap_or_else(Instant::now);
        let document = state.document(&at, now)?;
        let position = state.position_at(now);
        Ok((state, position, document))
    }

    pub(crate) fn world(&self) -> Result<Arc<World>> {
        self.shared
            .world
            .upgrade()
            .ok_or_else(|| Error::new(ErrorKind::Conflict, "the client of this player was closed"))
    }

    /// Its node; where it has none yet, the one that is least busy.
    pub(crate) fn seated(&self) -> Result<Arc<Node>> {
        if let Some(node) = self.node() {
            return Ok(node);
        }
        let node = self.world()?.choose(None)?;
        self.sit(Some(Arc::clone(&node)));
        Ok(node)
    }

    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.turn.lock().await
    }

    /// Tells its node, and learns from the answer where its track is. The caller has the turn.
    pub(crate) async fn tell(&self, change: &PlayerChange) -> Result<NodePlayer> {
        let node = self.seated()?;
        let session = node.session();
        let (answer, since) = node.change(self.guild(), change).await?;
        self.sit_in(session);
        if change.track.is_some() {
            self.find();
        }
        let mut state = self.locked();
        if change.plays() {
            state.starting = false;
        }
        let plays = answer.track.as_ref().zip(state.queue.current.as_ref());
        if plays.is_some_and(|(theirs, ours)| theirs.is(ours)) {
            state.update(&answer.state, since);
        }
        drop(state);
        Ok(answer)
    }

    /// Something changed that is worth a save; `intent` says it where items may be missing on purpose.
    pub(crate) fn changed(&self, intent: Option<&str>) {
        if let Some(words) = intent {
            let mut seat = locked(&self.shared.seat);
            if !seat.said.iter().any(|said| said == words) {
                seat.said.push(words.to_owned());
            }
        }
        if let Ok(world) = self.world() {
            world.touch(self.guild());
        }
    }

    /// What was said since this was last asked.
    pub(crate) fn take_said(&self) -> Option<String> {
        let said = std::mem::take(&mut locked(&self.shared.seat).said);
        (!said.is_empty()).then(|| said.join("; "))
    }

    pub(crate) fn happened(&self, what: Happened) {
        if let Ok(world) = self.world() {
            world.tell(Told::of(self.guild(), what));
        }
    }

    /// Its node tells where it stands. While it is found again, that is asked for, and what was known of before tells
    /// whether it is still the same track.
    pub(crate) fn hear_update(&self, state: &PlayerState, since: Instant) {
        if !self.is_still() && self.lost().is_none() {
            self.locked().update(state, since);
        }
    }

    /// Something happened to it; what follows is carried out.
    async fn hear(&self, event: Event) {
        let _turn = self.turn().await;
        {
            let mut seat = locked(&self.shared.seat);
            if seat.still.is_some() {
                seat.missed.push(event);
                return;
            }
        }
        let alone = self.lost().is_some();
        let next = {
            let mut state = self.locked();
            if alone {
                state.overtaken(&event);
            }
            state.hear(&event, Instant::now())
        };
        self.happened(Happened::of(&event));
        match next {
            Next::Nothing => {}
            next => {
                self.carry_out(next).await;
                self.changed(None);
            }
        }
    }
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Player({})", self.guild())
    }
}
