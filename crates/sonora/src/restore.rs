//! Putting a state on a node: told, read back until it holds, and taken back where it does not.

use std::time::Instant;

use dalsegno::{Error, ErrorKind, Result};
use tokio::time::sleep;

use crate::clock::Place;
use crate::hold::{CONNECTING, Expected};
use crate::lavalink::{NodePlayer, PlayerChange, TrackChange, VoiceServer};
use crate::node::Node;
use crate::player::{Player, State, look_up};

/// What is asked of a node.
pub(crate) struct Wanted {
    /// As it should be.
    pub(crate) state: State,
    /// Where its track should be, in milliseconds; nothing where it plays on as it does, and is not told again, so that
    /// it does not jump.
    pub(crate) position: Option<u64>,
    /// A new voice connection.
    pub(crate) voice: Option<VoiceServer>,
}

impl Player {
    /// Has the node do what is wanted; where it does not hold, it is told again what was before, unless it is gone: then
    /// the player goes on elsewhere with that. What of this is the
    /// player's own state, `apply` puts into it: other changes may have been made to that meanwhile, and stay.
    /// The caller has the turn.
    ///
    /// # Errors
    /// Of the node; `Conflict` where it answers that it did it, and did not.
    pub(crate) async fn put(&self, wanted: Wanted, apply: impl FnOnce(&mut State)) -> Result<()> {
        let before = self.state();
        let again = wanted.position.map(|_| before.position());
        let error = match self.try_put(wanted, apply).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let guild = self.guild();
        if self.node().is_none() {
            return Err(error.context(format!("guild {guild}")));
        }
        let before = Wanted {
            state: before,
            position: again,
            voice: None,
        };
        match self.try_put(before, |_| {}).await {
            Ok(()) => Err(error.context(format!("the player of guild {guild} is as it was"))),
            Err(other) => {
                self.stray(format!("its node may play something else: {error}"));
                Err(error.context(format!(
                    "guild {guild}: what was before could not be put back either ({other})"
                )))
            }
        }
    }

    /// As [`put`](Player::put); where it fails, the node is as it then is.
    pub(crate) async fn try_put(
        &self,
        mut wanted: Wanted,
        apply: impl FnOnce(&mut State),
    ) -> Result<()> {
        let node = self.seated()?;
        let session = node.session();
        let mut change = wanted.change();
        let told = Instant::now();
        let mut renamed = None;
        match node.change(self.guild(), &change).await {
            Ok(_) => {}
            // On this node, the track may be known by another text.
            Err(error) if error.kind() == ErrorKind::InvalidInput && change.plays() => {
                let Some(current) = &mut wanted.state.queue.current else {
                    return Err(error);
                };
                let found = look_up(&node, current).await.map_err(|_| error)?;
                current.encoded.clone_from(&found.encoded);
                change.track = Some(TrackChange::play(current));
                renamed = Some(found.encoded);
                node.change(self.guild(), &change).await?;
            }
            Err(error) => return Err(error),
        }
        let position = wanted
            .position
            .unwrap_or_else(|| wanted.state.position_at(told));
        let expected = Expected::of(&wanted.state, position, told);
        let (found, since) = self.holds(&expected, &change).await?;
        self.sit_in(session);
        self.held();
        let mut state = self.locked();
        apply(&mut state);
        if wanted.position.is_some() {
            state.starting = false;
        }
        if let (Some(encoded), Some(current)) = (renamed, &mut state.queue.current) {
            current.encoded = encoded;
        }
        state.connected = found.state.connected;
        state.place = Place::still(position);
        if found.track.is_some() {
            state.reach(found.state.position, since);
        }
        Ok(())
    }

    /// Whether its node plays what it should.
    ///
    /// # Errors
    /// Of the node; `Conflict` where it plays something else.
    pub(crate) async fn check(&self) -> Result<()> {
        let _turn = self.turn().await;
        let Some(node) = self.node() else {
            return Ok(());
        };
        let found = node.player(self.guild()).await?;
        let (state, hold) = (self.state(), self.world()?.hold);
        let now = Instant::now();
        let expected = Expected::of(&state, state.position_at(now), now);
        let found = found.as_ref().map(|(player, _)| player);
        match expected.differs(found, &hold, now) {
            None => Ok(()),
            Some(why) => Err(not_held(&node, &why)),
        }
    }

    /// Reads back until the node holds it, and tells it again what it does not.
    async fn holds(
        &self,
        expected: &Expected,
        change: &PlayerChange,
    ) -> Result<(NodePlayer, Instant)> {
        let (node, hold) = (self.seated()?, self.world()?.hold);
        let until = Instant::now() + CONNECTING;
        let mut tries = 0;
        loop {
            sleep(hold.settle).await;
            let found = node.player(self.guild()).await?;
            let now = Instant::now();
            let player = found.as_ref().map(|(player, _)| player);
            let Some(why) = expected.differs(player, &hold, now) else {
                // No player at all is as one that plays nothing.
                let (player, since) = found.unwrap_or_else(|| (NodePlayer::default(), now));
                if change.voice.is_none() || player.state.connected || now > until {
                    return Ok((player, since));
                }
                continue;
            };
            if tries >= hold.tries {
                return Err(not_held(&node, &why));
            }
            tries += 1;
            let mut again = change.clone();
            if player.is_some_and(|player| expected.plays(player, &hold, now)) {
                // Told again, it would jump.
                (again.track, again.position, again.end_time) = (None, None, None);
            }
            node.change(self.guild(), &again).await?;
            if change.paused == Some(true) {
                // Some take this only where nothing else is said.
                let pause = PlayerChange {
                    paused: Some(true),
                    ..PlayerChange::default()
                };
                node.change(self.guild(), &pause).await?;
            }
        }
    }
}

fn not_held(node: &Node, why: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("the node {} does not hold it: {why}", node.name()),
    )
}

impl Wanted {
    /// All that a node knows of it.
    fn change(&self) -> PlayerChange {
        let state = &self.state;
        let mut change = PlayerChange {
            volume: Some(state.volume),
            paused: Some(state.paused),
            filters: Some(state.filters.payload()),
            voice: self.voice.clone(),
            ..PlayerChange::default()
        };
        let Some(position) = self.position else {
            return change;
        };
        match &state.queue.current {
            Some(track) => {
                change.track = Some(TrackChange::play(track));
                change.end_time = Some(state.end_time);
                // What has no end begins where it is.
                change.position = (!track.info.is_stream).then_some(position);
            }
            None => change.track = Some(TrackChange::stop()),
        }
        change
    }
}
