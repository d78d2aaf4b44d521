package main

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
)

// apply owns fields by typed server-side apply: conflicts, force, extraction, removal, lists by key, status.
func apply(ctx context.Context, env *environment) error {
	if err := applyConfigMap(ctx, env); err != nil {
		return err
	}
	return applyDeployment(ctx, env)
}

func applyConfigMap(ctx context.Context, env *environment) error {
	api := env.client.CoreV1().ConfigMaps(env.namespace)
	one, two := metav1.ApplyOptions{FieldManager: "one"}, metav1.ApplyOptions{FieldManager: "two"}
	wanted := coreapply.ConfigMap("a", env.namespace).WithLabels(map[string]string{"app": "a"}).
		WithData(map[string]string{"mine": "1", "gone": "1"})
	made, err := api.Apply(ctx, wanted, one)
	if err != nil {
		return err
	}
	same, err := api.Apply(ctx, wanted, one)
	if err != nil {
		return err
	}
	theirs := coreapply.ConfigMap("a", env.namespace).WithData(map[string]string{"mine": "2", "theirs": "2"})
	_, conflict := api.Apply(ctx, theirs, two)
	two.Force = true
	forced, err := api.Apply(ctx, theirs, two)
	if err != nil {
		return err
	}
	extracted, err := coreapply.ExtractConfigMap(forced, "two")
	if err != nil {
		return err
	}
	// What one no longer names goes; what two took stays.
	left, err := api.Apply(ctx, coreapply.ConfigMap("a", env.namespace).WithLabels(map[string]string{"app": "a"}), one)
	if err != nil {
		return err
	}
	return first(
		expect(same.ResourceVersion == made.ResourceVersion, "the same apply to change nothing"),
		expect(apierrors.IsConflict(conflict) && apierrors.HasStatusCause(conflict, metav1.CauseTypeFieldManagerConflict) &&
			strings.Contains(conflict.Error(), `conflict with "one": .data.mine`), "a conflict that names manager and field, got %v", conflict),
		expect(forced.Data["mine"] == "2" && forced.Data["gone"] == "1", "what was forced, got %v", forced.Data),
		expect(len(extracted.Data) == 2 && extracted.Data["theirs"] == "2" && len(extracted.Labels) == 0,
			"what two owns, got %v and %v", extracted.Data, extracted.Labels),
		expect(len(left.Data) == 2 && left.Data["gone"] == "", "what one gave up to be gone, got %v", left.Data),
	)
}

func applyDeployment(ctx context.Context, env *environment) error {
	api := env.client.AppsV1().Deployments(env.namespace)
	labels := map[string]string{"app": "web"}
	configuration := func(container *coreapply.ContainerApplyConfiguration) *appsapply.DeploymentApplyConfiguration {
		pod := coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(container))
		selector := metaapply.LabelSelector().WithMatchLabels(labels)
		return appsapply.Deployment("web", env.namespace).
			WithSpec(appsapply.DeploymentSpec().WithSelector(selector).WithTemplate(pod))
	}
	port := coreapply.ContainerPort().WithContainerPort(80)
	main := coreapply.Container().WithName("main").WithImage("example.com/main:1").WithPorts(port)
	if _, err := api.Apply(ctx, configuration(main), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	side := coreapply.Container().WithName("side").WithImage("example.com/side:1")
	both, err := api.Apply(ctx, configuration(side), metav1.ApplyOptions{FieldManager: "two"})
	if err != nil {
		return err
	}
	condition := appsapply.DeploymentCondition().WithType("Available").WithStatus("True").WithReason("Test").WithMessage("yes")
	status := appsapply.Deployment("web", env.namespace).WithStatus(appsapply.DeploymentStatus().WithConditions(condition))
	available, err := api.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "three"})
	if err != nil {
		return err
	}
	scale := appsapply.Deployment("web", env.namespace).WithSpec(appsapply.DeploymentSpec().WithReplicas(3))
	_, err = api.Apply(ctx, scale, metav1.ApplyOptions{FieldManager: "four"})
	if err != nil {
		return err
	}
	alone, err := api.Apply(ctx, configuration(main), metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	return first(
		expect(len(both.Spec.Template.Spec.Containers) == 2, "two containers of two managers, got %v", both.Spec.Template.Spec.Containers),
		expect(len(available.Status.Conditions) == 1 && available.Generation == both.Generation, "a condition alone, got %v", available.Status),
		expect(len(alone.Spec.Template.Spec.Containers) == 1 && *alone.Spec.Replicas == 3,
			"the container that two gave up to be gone, got %v", alone.Spec.Template.Spec.Containers),
	)
}
