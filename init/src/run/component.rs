//! The component that runs a composition, which is what it is configured with.

use super::event::Event;
use super::init::Init;
use super::teller;
use crate::config::{Composition, limits};
use portcullis_component::protocol::Session;
use portcullis_component::{Env, Error, Quota, run};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_rpc::{Capability, SignalCapability};
use portcullis_sessions::rom::{Rom, RomConnection};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is donated for the session of its configuration: enough for the longest, since what is left of the budget is given to
/// the components of the composition. All copies of a ROM session together take less than twice the largest, in whole pages.
const DONATION: Quota = Quota::new(8192 + 4 * limits::MOST_CONFIG as u64, 4);

/// Runs the component until it is told to end, or all of its components have ended: the `main` of `portcullis-init`. Relative paths
/// of binaries begin at that directory. What happens goes to the log that its parent has for it, if any.
#[must_use]
pub fn component(directory: PathBuf) -> ExitCode {
    // Until the component has ended: its own components end with it.
    let mut kept = None;
    run(|env: Env| {
        let begun = begin(&env, directory).inspect_err(|reason| teller::tell(&env, reason));
        begun.map(|init| kept = Some(init))
    })
}

fn begin(env: &Env, directory: PathBuf) -> Result<Init, String> {
    let said = |error: Error| error.to_string();
    let config = env.connecting("config").donating(DONATION).open::<dyn Rom>(&()).map_err(said)?;
    let (tell, told) = teller::channel();
    let init = Init::within(env, directory, tell).map_err(said)?;
    init.start_teller(told);
    let mut watch = Watch { config: config.into(), init: init.clone() };
    let composition = watch.read()?;
    init.start(&composition).map_err(|error| error.to_string())?;
    watch.begin(env).map_err(said)?;
    Ok(init)
}

/// Looks after the configuration.
struct Watch {
    config: RomConnection,
    init: Init,
}

/// It has no methods: it is there for the signal.
impl Session for Watch {}

impl Watch {
    fn read(&mut self) -> Result<Composition, String> {
        let text = self.config.newest().map_err(|error| error.to_string())?;
        Composition::parse_within(text, &self.init.given()).map_err(|problems| problems.to_string())
    }

    fn begin(self, env: &Env) -> Result<(), Error> {
        let mut config = self.config.clone();
        let watch: Capability<dyn Session> = env.entrypoint().manage(self);
        let changed: SignalCapability =
            env.entrypoint().handle_signal(&watch, SignalLevel::Application, Watch::changed)?;
        config.update_signal(changed)
    }

    fn changed(&mut self, _: &Entrypoint) {
        match self.read() {
            Ok(composition) => self.init.change(&composition),
            Err(problems) => self.init.tell(Event::Refused { problems }),
        }
    }
}
