//! What the tour's components tell the command, and what they are told by it.

use super::story::Story;
use portcullis_component::{Env, Error, Opening, Sessions};
use portcullis_examples::tour::{Event, Stage, Targets};
use portcullis_rpc::DataspaceCapability;
use std::sync::Arc;

/// What is known on the stage. Served on a thread of its own.
pub(super) struct Props {
    pub(super) input: DataspaceCapability,
    pub(super) story: Story,
}

/// Offers the stage to the components.
pub(super) fn announce(env: &Env, props: Props) -> Result<(), Error> {
    env.announce::<dyn Stage, _>(Stages(Arc::new(props)))
}

struct Stages(Arc<Props>);

impl Sessions<dyn Stage> for Stages {
    type Session = StageSession;

    fn create(&mut self, _: Opening<()>) -> Result<StageSession, Error> {
        Ok(StageSession(self.0.clone()))
    }
}

struct StageSession(Arc<Props>);

impl Stage for StageSession {
    fn tell(&mut self, event: Event) -> Result<(), Error> {
        self.0.story.told(&event);
        Ok(())
    }

    fn input(&mut self) -> Result<DataspaceCapability, Error> {
        Ok(self.0.input.clone())
    }

    fn targets(&mut self) -> Result<Targets, Error> {
        Ok(self.0.story.targets())
    }
}
