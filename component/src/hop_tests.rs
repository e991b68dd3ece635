use super::*;
use std::collections::{BTreeSet, VecDeque};

/// A session with all that is around it: where the quota is, who waits for what, and what the server has under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    hop: Hop,
    /// Amounts at the client, with the parent, and at the server: 2 of donation and 1 of upgrade.
    client: u8,
    parent: u8,
    server: u8,
    /// 0: waits, 1: answered.
    opened: u8,
    upgrade_waits: bool,
    upgrade_at_server: u8,
    server_lives: bool,
    under_way: Option<UnderWay>,
    /// The server has an object for it.
    object: bool,
    forgotten: bool,
    /// The client has said so, whatever the hop makes of it.
    wants_close: bool,
    upgrades_left: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum UnderWay {
    Create,
    Upgrade,
    Close,
}

impl World {
    fn start() -> World {
        World {
            hop: Hop::new(),
            client: 1,
            parent: 2,
            server: 0,
            opened: 0,
            upgrade_waits: false,
            upgrade_at_server: 0,
            server_lives: true,
            under_way: None,
            object: false,
            forgotten: false,
            wants_close: false,
            upgrades_left: 1,
        }
    }

    /// What can happen now: the server answers only what it was asked, the client does what it likes.
    fn events(&self) -> Vec<Event> {
        let mut events = vec![];
        if self.forgotten {
            return events;
        }
        if self.server_lives {
            events.push(Event::ServerDied);
            match self.under_way {
                None => {}
                Some(UnderWay::Create) => events.extend([Event::Created, Event::Refused]),
                Some(UnderWay::Upgrade) => events.extend([Event::Upgraded, Event::Refused]),
                Some(UnderWay::Close) => events.push(Event::Closed),
            }
        }
        match self.hop.state() {
            State::Waiting if self.server_lives => events.extend([Event::ServerReady, Event::Refused]),
            State::Waiting => events.push(Event::Refused),
            _ => {}
        }
        events.push(Event::Close);
        if self.hop.may_upgrade() && self.upgrades_left > 0 && self.server_lives {
            events.push(Event::Upgrade);
        }
        events
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::ServerDied => {
                self.server_lives = false;
                self.object = false;
                self.under_way = None;
            }
            Event::Created => {
                self.object = true;
                self.under_way = None;
            }
            Event::Upgraded | Event::Refused => self.under_way = None,
            Event::Closed => {
                self.object = false;
                self.under_way = None;
            }
            Event::Upgrade => {
                self.upgrades_left -= 1;
                self.upgrade_waits = true;
                self.client -= 1;
                self.parent += 1;
                self.upgrade_at_server = 1;
            }
            Event::Close => self.wants_close = true,
            Event::ServerReady => {}
        }
        for effect in self.hop.on(event) {
            self.carry_out(*effect);
        }
    }

    fn ask(&mut self, what: UnderWay) {
        assert_eq!(self.under_way, None, "one thing at a time");
        assert!(self.server_lives);
        self.under_way = Some(what);
    }

    fn carry_out(&mut self, effect: Effect) {
        assert!(!self.forgotten, "nothing happens to what is forgotten");
        match effect {
            Effect::Create => {
                self.server += 2;
                self.parent -= 2;
                self.ask(UnderWay::Create);
            }
            Effect::Upgrade => {
                self.parent -= 1;
                self.server += 1;
                self.ask(UnderWay::Upgrade);
            }
            Effect::CloseAtServer => {
                assert!(self.object, "only what is there is closed");
                self.ask(UnderWay::Close);
            }
            Effect::TakeBack => {
                assert!(!self.object, "no session without its quota");
                self.parent += self.server;
                self.server = 0;
            }
            Effect::TakeBackUpgrade => {
                self.server -= self.upgrade_at_server;
                self.client += self.upgrade_at_server;
                self.upgrade_at_server = 0;
            }
            Effect::AnswerOpen | Effect::AnswerRefused | Effect::AnswerClosedBefore => {
                self.opened += 1;
                assert_eq!(self.opened, 1, "one answer");
            }
            Effect::AnswerUpgraded | Effect::AnswerUpgradeRefused => {
                assert!(std::mem::take(&mut self.upgrade_waits), "one answer to each upgrade");
            }
            Effect::Forget => {
                self.client += std::mem::take(&mut self.parent);
                self.forgotten = true;
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.client + self.parent + self.server, 3, "quota is conserved: {self:?}");
        assert!(self.server_lives || self.server == 0, "a dead server holds nothing: {self:?}");
        assert!(!self.object || self.server >= 2, "no session without its quota: {self:?}");
        assert_eq!(self.forgotten, self.hop.state() == State::Gone, "{self:?}");
        if self.forgotten {
            assert_eq!((self.client, self.opened, self.upgrade_waits), (3, 1, false), "{self:?}");
            assert!(!self.object && self.under_way.is_none(), "nothing stays at the server: {self:?}");
        }
    }
}

/// All worlds that can be reached, each once.
fn reachable() -> BTreeSet<World> {
    let mut seen = BTreeSet::new();
    let mut next = VecDeque::from([World::start()]);
    while let Some(world) = next.pop_front() {
        world.check();
        if !seen.insert(world.clone()) {
            continue;
        }
        for event in world.events() {
            let mut after = world.clone();
            after.apply(event);
            next.push_back(after);
        }
    }
    seen
}

#[test]
fn in_every_order_of_events_quota_is_conserved_and_everybody_is_answered_once() {
    let worlds = reachable();
    let states: BTreeSet<State> = worlds.iter().map(|world| world.hop.state()).collect();
    assert_eq!(states.len(), 7, "every state was reached: {states:?}");
}

#[test]
fn whoever_closes_is_done_as_soon_as_the_server_answers_or_dies() {
    for world in reachable().into_iter().filter(|world| world.wants_close && !world.forgotten) {
        // Answers alone, no more wishes of the client, lead to the end.
        let mut world = world;
        for _ in 0..3 {
            let answer = match world.under_way {
                Some(UnderWay::Create) => Event::Created,
                Some(UnderWay::Upgrade) => Event::Upgraded,
                Some(UnderWay::Close) => Event::Closed,
                None => break,
            };
            world.apply(answer);
            world.check();
        }
        assert!(world.forgotten, "{world:?}");
    }
}

#[test]
fn what_cannot_be_in_a_state_has_no_effect() {
    let made_up = [Event::Created, Event::Upgraded, Event::Closed];
    for event in made_up {
        let mut hop = Hop::new();
        assert_eq!((hop.on(event), hop), (&[][..], Hop::new()), "{event:?}");
    }
    let mut open = Hop::new();
    open.on(Event::ServerReady);
    open.on(Event::Created);
    for event in [Event::Created, Event::Refused, Event::Upgraded, Event::Closed, Event::ServerReady] {
        assert_eq!((open.on(event), open.state()), (&[][..], State::Open), "{event:?}");
    }
}
