use portcullis_component::component;

#[component]
fn construct(self) {}
