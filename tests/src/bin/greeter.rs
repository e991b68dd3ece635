//! A component as its author writes it: greets its log, and ends.

use portcullis_component::{Env, Error, component};
use portcullis_sessions::log::{Log, LogText};

#[component]
fn construct(env: Env) -> Result<(), Error> {
    let mut log = env.connect::<dyn Log>("greeting", &())?;
    log.print("good day")?;
    env.exit(3);
    Ok(())
}
