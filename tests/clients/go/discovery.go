package main

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// discover finds a custom resource by its kind alone, as generic tools do, and reads its schema.
func discover(ctx context.Context, env *environment) error {
	undo, err := installGadgets(ctx, env)
	if err != nil {
		return err
	}
	defer undo()
	groups, err := restmapper.GetAPIGroupResources(env.client.Discovery())
	if err != nil {
		return err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: gadgetVersion.Group, Kind: "Gadget"})
	if err != nil {
		return err
	}
	deployments, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: "deployments"})
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(env.config)
	if err != nil {
		return err
	}
	api := client.Resource(mapping.Resource).Namespace(env.namespace)
	gadget := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gadgetVersion.String(), "kind": "Gadget",
		"metadata": map[string]any{"name": "a"}, "spec": map[string]any{"unknown": true},
	}}
	made, err := api.Create(ctx, gadget, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	size, found, err := unstructured.NestedInt64(made.Object, "spec", "size")
	if err != nil {
		return err
	}
	_, pruned := made.Object["spec"].(map[string]any)["unknown"]
	paths, err := env.client.Discovery().OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	text, err := paths["apis/"+gadgetVersion.String()].Schema("application/json")
	if err != nil {
		return err
	}
	var document struct {
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	_, described := document.Components.Schemas["com.example.clients.v1.Gadget"]
	return first(
		expect(mapping.Resource.Resource == "gadgets" && mapping.Scope.Name() == "namespace", "gadgets, got %v", mapping),
		expect(deployments.Group == "apps" && deployments.Version == "v1", "deployments of apps/v1, got %v", deployments),
		expect(found && size == 1 && !pruned, "a defaulted and pruned spec, got %v", made.Object["spec"]),
		expect(described, "a schema of Gadget"),
	)
}
