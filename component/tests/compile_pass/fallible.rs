use portcullis_component::{Env, Error, component};

#[component(crate = facade)]
fn construct(env: Env) -> Result<(), Error> {
    env.budget().map(drop)
}

mod facade {
    pub(crate) use portcullis_component as component;
}
