//! The watcher component: a signal says that the counter has changed, a call says how, and the scribe says it in words.

use super::Failed;
use super::interface::{Count, Event, Scribe, Stage, State};
use portcullis_component::{Connection, Env, Error};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_sessions::log::{Log, LogConnection};

/// Runs the component.
///
/// # Errors
/// Why it has failed.
pub fn construct(env: &Env) -> Result<(), Failed> {
    let mut watcher = Watcher {
        count: env.connect("input", &())?,
        scribe: env.connect("counts", &())?,
        stage: env.connect("watcher", &())?,
        log: env.connect::<dyn Log>("watcher", &())?,
        env: env.clone(),
    };
    watcher.log.write("I watch the counter")?;
    let mut count = watcher.count.capability().client();
    let changed = env.entrypoint().manage_signal(
        watcher,
        SignalLevel::Application,
        |watcher: &mut Watcher, _: &Entrypoint| watcher.look(),
    );
    count.sigh(changed)?;
    Ok(())
}

struct Watcher {
    count: Connection<dyn Count>,
    scribe: Connection<dyn Scribe>,
    stage: Connection<dyn Stage>,
    log: LogConnection,
    env: Env,
}

impl Watcher {
    /// The counter has changed, once or several times.
    fn look(&mut self) {
        // The last time once more, for whom it may concern: whatever becomes of the scribe, the end is told.
        let seen = match self.follow() {
            Ok(State { is_done: true, .. }) => self.follow(),
            seen => seen,
        };
        match seen {
            Ok(State { is_done: false, .. }) => {}
            Ok(_) => self.env.exit(0),
            Err(error) => {
                let _ = self.log.write(&error.to_string());
                self.env.exit(1);
            }
        }
    }

    fn follow(&mut self) -> Result<State, Error> {
        let state = self.count.state()?;
        let words = match self.scribe.sentence(state.counts) {
            Ok(words) => words,
            Err(_) => self.ask_another(state)?,
        };
        self.stage.tell(Event::Worded { state, words })?;
        Ok(state)
    }

    /// The scribe has ended. A new session of it opens when it is there again.
    fn ask_another(&mut self, state: State) -> Result<String, Error> {
        self.stage.tell(Event::Lost)?;
        self.scribe = self.env.connect("counts", &())?;
        self.stage.tell(Event::Found)?;
        self.scribe.sentence(state.counts)
    }
}
