package main

import (
	"context"
	_ "embed"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

//go:embed gadget.yaml
var gadgetCRD []byte

var gadgetVersion = schema.GroupVersion{Group: "clients.example.com", Version: "v1"}

// Gadget is a custom resource that a reconciler turns into a ConfigMap.
type Gadget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GadgetSpec   `json:"spec,omitempty"`
	Status GadgetStatus `json:"status,omitempty"`
}

// GadgetSpec is what is asked for.
type GadgetSpec struct {
	Size int64 `json:"size,omitempty"`
}

// GadgetStatus is what was seen.
type GadgetStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// GadgetList is a list of gadgets.
type GadgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Gadget `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (g *Gadget) DeepCopyObject() runtime.Object {
	out := *g
	g.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = nil
	for index := range g.Status.Conditions {
		out.Status.Conditions = append(out.Status.Conditions, *g.Status.Conditions[index].DeepCopy())
	}
	return &out
}

// DeepCopyObject implements runtime.Object.
func (l *GadgetList) DeepCopyObject() runtime.Object {
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Gadget, len(l.Items))
	for index := range l.Items {
		out.Items[index] = *l.Items[index].DeepCopyObject().(*Gadget)
	}
	return &out
}

// installGadgets creates the CRD and waits until it is served; the function returned removes it.
func installGadgets(ctx context.Context, env *environment) (func(), error) {
	client, err := apiextensions.NewForConfig(env.config)
	if err != nil {
		return nil, err
	}
	api := client.ApiextensionsV1().CustomResourceDefinitions()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(gadgetCRD, crd); err != nil {
		return nil, err
	}
	if crd, err = api.Create(ctx, crd, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	err = eventually(ctx, "the CRD to be established", func(ctx context.Context) (bool, error) {
		now, err := api.Get(ctx, crd.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, condition := range now.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
	if err == nil {
		// Established is said a moment before the group shows in discovery.
		err = eventually(ctx, "the CRD to be discovered", func(context.Context) (bool, error) {
			resources, err := env.client.Discovery().ServerResourcesForGroupVersion(gadgetVersion.String())
			return err == nil && len(resources.APIResources) > 0, nil
		})
	}
	// Not with ctx: the CRD goes in spite of a failure.
	return func() { _ = api.Delete(context.Background(), crd.Name, metav1.DeleteOptions{}) }, err
}
