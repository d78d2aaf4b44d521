package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
)

// postEvents posts repeated events by both recorders: each aggregates them in one object, which shows in both groups.
func postEvents(ctx context.Context, env *environment) error {
	api := env.client.CoreV1().ConfigMaps(env.namespace)
	object, err := api.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	modern := events.NewBroadcaster(&events.EventSinkImpl{Interface: env.client.EventsV1()})
	if err := modern.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	defer modern.Shutdown()
	core := record.NewBroadcaster(record.WithContext(ctx))
	core.StartRecordingToSink(&eventSink{ctx, env})
	defer core.Shutdown()
	for range 3 {
		modern.NewRecorder(scheme.Scheme, "modern").Eventf(object, nil, corev1.EventTypeNormal, "Modern", "Testing", "said %s", "so")
	}
	recorder := core.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "core"})
	for range 3 {
		recorder.Event(object, corev1.EventTypeWarning, "Core", "said so")
	}
	err = eventually(ctx, "a counted core event", func(ctx context.Context) (bool, error) {
		list, err := env.client.CoreV1().Events(env.namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Core,type=Warning"})
		return err == nil && len(list.Items) == 1 && list.Items[0].Count == 3, err
	})
	if err != nil {
		return err
	}
	err = eventually(ctx, "a series", func(ctx context.Context) (bool, error) {
		list, err := env.client.EventsV1().Events(env.namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Modern"})
		return err == nil && len(list.Items) == 1 && list.Items[0].Series != nil && list.Items[0].Series.Count >= 2, err
	})
	if err != nil {
		return err
	}
	list, err := env.client.CoreV1().Events(env.namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.name=a,reason=Modern",
	})
	if err != nil {
		return err
	}
	return first(
		expect(len(list.Items) == 1 && list.Items[0].Message == "said so" && list.Items[0].ReportingController == "modern",
			"the event of the other group, got %v", list.Items),
	)
}

// eventSink writes core events with the scenario's context.
type eventSink struct {
	ctx context.Context
	env *environment
}

func (s *eventSink) Create(event *corev1.Event) (*corev1.Event, error) {
	return s.env.client.CoreV1().Events(event.Namespace).CreateWithEventNamespaceWithContext(s.ctx, event)
}

func (s *eventSink) Update(event *corev1.Event) (*corev1.Event, error) {
	return s.env.client.CoreV1().Events(event.Namespace).UpdateWithEventNamespaceWithContext(s.ctx, event)
}

func (s *eventSink) Patch(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return s.env.client.CoreV1().Events(event.Namespace).PatchWithEventNamespaceWithContext(s.ctx, event, data)
}
