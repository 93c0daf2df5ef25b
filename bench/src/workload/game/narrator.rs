//! Tells the game: six chapters, each with its place, its stranger and its threat.

use crate::workload::grammar::Kept;
use crate::workload::random::Dice;
use crate::workload::voice::GAME;

/// Turns of a chapter.
const CHAPTER_TURNS: u32 = 20;

/// One chapter of the story.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Chapter {
    pub title: &'static str,
    pub place: &'static str,
    pub stranger: &'static str,
    pub who: &'static str,
    pub threat: &'static str,
    pub goal: &'static str,
    pub opening: &'static str,
    pub ground: &'static str,
    pub features: [&'static str; 5],
}

/// The story, in order.
pub const CHAPTERS: [Chapter; 6] = [
    Chapter {
        title: "I. The Ferry Inn",
        place: "the Ferry Inn at Low Brae",
        stranger: "Marrec the ferryman",
        who: "Marrec",
        threat: "hooded debt collector",
        goal: "the missing ferry",
        opening: "The ferry has not come back for three nights, and the inn is full of people \
                  who do not say why they wait. Marrec puts a wet ledger on your table: the last \
                  name in it is yours.",
        ground: "sawdust",
        features: [
            "tap-room stove",
            "cellar hatch",
            "mooring post",
            "back stair",
            "guest book",
        ],
    },
    Chapter {
        title: "II. The Reed Maze",
        place: "the reed maze below the weir",
        stranger: "Old Hanne the eel-catcher",
        who: "Hanne",
        threat: "heron-headed watcher",
        goal: "the sunken landing stage",
        opening: "Behind the weir the river forgets its bed. Hanne poles you in among the reeds \
                  and cuts a notch into the boat at every turn, and frowns when she finds one \
                  already there.",
        ground: "black mud",
        features: [
            "weir",
            "half-sunk barge",
            "heron nest",
            "notched post",
            "rope bridge",
        ],
    },
    Chapter {
        title: "III. Saint Orrin's Cellar",
        place: "the cellar of Saint Orrin",
        stranger: "Sister Calla",
        who: "Sister Calla",
        threat: "thing in the cistern",
        goal: "the bell rope",
        opening: "The chapel is dry, swept and empty. The cellar beneath it is none of these. \
                  Sister Calla hands you the lamp and stays on the last dry step.",
        ground: "wet flagstone",
        features: [
            "cistern lid",
            "toppled statue",
            "spiral stair",
            "iron gate",
            "broken altar",
        ],
    },
    Chapter {
        title: "IV. The Toll Road",
        place: "the toll road over Harrow Ridge",
        stranger: "Captain Dunmere",
        who: "the captain",
        threat: "pack of ash wolves",
        goal: "the third heir",
        opening: "Snow on the ridge, and a barrier where no barrier was. Captain Dunmere wants \
                  a toll, a name and a reason, in that order.",
        ground: "packed snow",
        features: [
            "toll barrier",
            "watch fire",
            "collapsed bridge",
            "milestone",
            "charcoal hut",
        ],
    },
    Chapter {
        title: "V. The House of Lamps",
        place: "the House of Lamps in Vellmora",
        stranger: "Ottoline the lamp-maker",
        who: "Ottoline",
        threat: "man without a shadow",
        goal: "the lamp that burns without oil",
        opening: "Every window in Vellmora is lit, and there is nobody behind them. Ottoline \
                  opens before you knock: she has counted your steps since the gate.",
        ground: "polished board",
        features: [
            "bronze door",
            "great loom",
            "lamp rack",
            "mirror",
            "dumb waiter",
        ],
    },
    Chapter {
        title: "VI. The Drowned Bell",
        place: "the drowned tower",
        stranger: "the Bell-Warden",
        who: "the Warden",
        threat: "tide that wears a face",
        goal: "the drowned bell",
        opening: "At low water the tower stands free for two hours. The rope you carried from \
                  Saint Orrin is exactly as long as the shaft is deep; somebody measured both.",
        ground: "shell sand",
        features: [
            "bell shaft",
            "winch",
            "tide gate",
            "fallen bell-frame",
            "drowned stair",
        ],
    },
];

/// The voice of the game master.
#[derive(Debug)]
pub struct Narrator {
    dice: Dice,
    kept: Kept,
    opening: Option<&'static str>,
    kind: &'static str,
}

impl Narrator {
    /// A narrator who has not begun.
    #[must_use]
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            kept: Kept::new(),
            opening: None,
            kind: "explore",
        }
    }

    /// Sets the stage for a turn (counted from 1) and tells which chapter it is in.
    pub fn begin_turn(&mut self, turn: u32) -> &'static Chapter {
        let at = turn.saturating_sub(1);
        let chapter = &CHAPTERS[(at / CHAPTER_TURNS) as usize % CHAPTERS.len()];
        if at.is_multiple_of(CHAPTER_TURNS) {
            self.opening = Some(chapter.opening);
        }
        let hero = self.dice.index(3);
        let party = ["Ysolde", "Corin", "Bram"];
        let weapons = ["ash bow", "iron staff", "short sword"];
        let companion = party[(hero + 1 + self.dice.index(2)) % 3];
        self.kind = self
            .dice
            .pick(&["explore", "explore", "explore", "talk", "talk", "fight"]);
        for (name, value) in [
            ("hero", party[hero]),
            ("companion", companion),
            ("place", chapter.place),
            ("npc", chapter.stranger),
            ("who", chapter.who),
            ("threat", chapter.threat),
            ("goal", chapter.goal),
            ("weapon", weapons[hero]),
            ("ground", chapter.ground),
            ("feature", self.dice.pick(&chapter.features)),
        ] {
            self.kept.insert(name.to_owned(), value.to_owned());
        }
        chapter
    }

    /// An `action` or a `ruling` that fits the turn.
    pub fn speak(&mut self, part: &str) -> String {
        self.expand(&format!("{part}_{}", self.kind))
    }

    /// What the archivist writes down.
    pub fn note(&mut self) -> String {
        self.expand("note")
    }

    fn expand(&mut self, section: &str) -> String {
        capital(&GAME.expand_with(section, &mut self.kept, &mut self.dice))
    }

    /// What happens; a chapter's first turn begins with its opening.
    pub fn narrate(&mut self) -> String {
        let told = self.speak("narration");
        match self.opening.take() {
            Some(opening) => format!("{opening}\n\n{told}"),
            None => told,
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
