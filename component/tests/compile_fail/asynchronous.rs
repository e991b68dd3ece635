use portcullis_component::{Env, component};

#[component]
async fn construct(_: Env) {}
