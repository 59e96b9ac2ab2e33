// A provider as an organization may write one: the data source `internal_greeting` greets somebody. The tests publish it in the private
// registry and in its mirror, and plan with it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type internal struct{}

func (internal) Metadata(_ context.Context, _ provider.MetadataRequest, answer *provider.MetadataResponse) {
	answer.TypeName = "internal"
}

func (internal) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (internal) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

func (internal) Resources(context.Context) []func() resource.Resource { return nil }

func (internal) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return greeting{} }}
}

type greeting struct{}

type greetingData struct {
	Name types.String `tfsdk:"name"`
	Text types.String `tfsdk:"text"`
}

func (greeting) Metadata(_ context.Context, asked datasource.MetadataRequest, answer *datasource.MetadataResponse) {
	answer.TypeName = asked.ProviderTypeName + "_greeting"
}

func (greeting) Schema(_ context.Context, _ datasource.SchemaRequest, answer *datasource.SchemaResponse) {
	answer.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{Required: true},
		"text": schema.StringAttribute{Computed: true},
	}}
}

func (greeting) Read(ctx context.Context, asked datasource.ReadRequest, answer *datasource.ReadResponse) {
	var data greetingData
	answer.Diagnostics.Append(asked.Config.Get(ctx, &data)...)
	data.Text = types.StringValue("hello " + data.Name.ValueString())
	answer.Diagnostics.Append(answer.State.Set(ctx, &data)...)
}

func main() {
	// The address is only shown in logs.
	options := providerserver.ServeOpts{Address: "windlass.example/tests/internal"}
	if err := providerserver.Serve(context.Background(), func() provider.Provider { return internal{} }, options); err != nil {
		log.Println(err)
		os.Exit(1)
	}
}
