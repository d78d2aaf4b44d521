package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
)

// writeProtobuf sends every kind of write as protobuf, which is what controllers of the project send.
func writeProtobuf(ctx context.Context, env *environment) error {
	config := rest.CopyConfig(env.config)
	config.ContentType = runtime.ContentTypeProtobuf
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := writeConfigMaps(ctx, client, env.namespace); err != nil {
		return err
	}
	return writeDeployment(ctx, client, env.namespace)
}

func writeConfigMaps(ctx context.Context, client kubernetes.Interface, namespace string) error {
	configMaps := client.CoreV1().ConfigMaps(namespace)
	wanted := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"app": "a"}},
		Data:       map[string]string{"text": "ünïcode\n", "empty": ""},
		BinaryData: map[string][]byte{"bytes": {0, 255, 128}},
	}
	made, err := configMaps.Create(ctx, wanted, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if !equality.Semantic.DeepEqual(made.Data, wanted.Data) || !equality.Semantic.DeepEqual(made.BinaryData, wanted.BinaryData) {
		return fmt.Errorf("wrote %v and %v, got %v and %v", wanted.Data, wanted.BinaryData, made.Data, made.BinaryData)
	}
	_, again := configMaps.Create(ctx, wanted, metav1.CreateOptions{})
	_, badName := configMaps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "A B"}}, metav1.CreateOptions{})
	_, missing := configMaps.Get(ctx, "nothing", metav1.GetOptions{})
	changed := made.DeepCopy()
	changed.Data["text"] = "changed"
	if _, err := configMaps.Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
		return err
	}
	made.Data["text"] = "stale"
	_, stale := configMaps.Update(ctx, made, metav1.UpdateOptions{})
	attempts := 0
	retried := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		attempts++
		if attempts > 1 {
			if made, err = configMaps.Get(ctx, "a", metav1.GetOptions{}); err != nil {
				return err
			}
		}
		made.Data["text"] = "retried"
		_, err := configMaps.Update(ctx, made, metav1.UpdateOptions{})
		return err
	})
	dry, err := configMaps.Patch(ctx, "a", types.StrategicMergePatchType, []byte(`{"data":{"text":null}}`),
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	_, kept := dry.Data["text"]
	wrongUID := types.UID("00000000-0000-0000-0000-000000000000")
	precondition := configMaps.Delete(ctx, "a", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrongUID}})
	if err := configMaps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=a"}); err != nil {
		return err
	}
	_, deleted := configMaps.Get(ctx, "a", metav1.GetOptions{})
	return first(
		expect(apierrors.IsAlreadyExists(again), "AlreadyExists, got %v", again),
		expect(apierrors.IsInvalid(badName) && apierrors.HasStatusCause(badName, metav1.CauseTypeFieldValueInvalid),
			"Invalid with its cause, got %v", badName),
		expect(apierrors.IsNotFound(missing), "NotFound, got %v", missing),
		expect(apierrors.IsConflict(stale), "Conflict, got %v", stale),
		expect(retried == nil && attempts == 2, "the second attempt to succeed, got %v after %d", retried, attempts),
		expect(!kept, "a dry run to answer as if, got %v", dry.Data),
		expect(apierrors.IsConflict(precondition), "Conflict of the precondition, got %v", precondition),
		expect(apierrors.IsNotFound(deleted), "the collection to be deleted, got %v", deleted),
	)
}

// deployment has fields of every shape that protobuf writes otherwise than JSON.
func deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](0),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxSurge: ptr.To(intstr.FromString("30%")), MaxUnavailable: ptr.To(intstr.FromInt32(0)),
			}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{
						Name: "main", Image: "example.com/main:1",
						Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
						Env: []corev1.EnvVar{{Name: "NODE", ValueFrom: &corev1.EnvVarSource{
							FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"},
						}}},
						Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
							corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
						}},
						ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
							HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromString("http")},
						}},
					}, {Name: "side", Image: "example.com/side:1"}},
					Tolerations: []corev1.Toleration{{Key: "slow", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](0)}},
				},
			},
		},
	}
}

func writeDeployment(ctx context.Context, client kubernetes.Interface, namespace string) error {
	deployments := client.AppsV1().Deployments(namespace)
	wanted := deployment("web")
	made, err := deployments.Create(ctx, wanted, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		return err
	}
	main, asked := made.Spec.Template.Spec.Containers[0], wanted.Spec.Template.Spec.Containers[0]
	patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"example.com/side:2"}]}}}}`)
	patched, err := deployments.Patch(ctx, "web", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	containers := patched.Spec.Template.Spec.Containers
	return first(
		expect(*made.Spec.Replicas == 0, "no replicas, got %d", *made.Spec.Replicas),
		expect(*made.Spec.RevisionHistoryLimit == 10, "a default revisionHistoryLimit, got %d", *made.Spec.RevisionHistoryLimit),
		expect(equality.Semantic.DeepEqual(made.Spec.Strategy.RollingUpdate, wanted.Spec.Strategy.RollingUpdate),
			"%v, got %v", wanted.Spec.Strategy.RollingUpdate, made.Spec.Strategy.RollingUpdate),
		expect(equality.Semantic.DeepEqual(main.Resources, asked.Resources), "%v, got %v", asked.Resources, main.Resources),
		expect(main.ReadinessProbe.HTTPGet.Port == asked.ReadinessProbe.HTTPGet.Port && main.ReadinessProbe.PeriodSeconds == 10,
			"a probe of a named port with defaults, got %v", main.ReadinessProbe),
		expect(*made.Spec.Template.Spec.Tolerations[0].TolerationSeconds == 0, "a toleration of 0 s, got %v", made.Spec.Template.Spec.Tolerations),
		expect(len(containers) == 2 && containers[1].Image == "example.com/side:2" && containers[0].Image == asked.Image,
			"one container patched by its name, got %v", containers),
		expect(patched.Generation == 2, "generation 2, got %d", patched.Generation),
	)
}

// writeSubresources writes through status, scale, eviction and binding-like doors.
func writeSubresources(ctx context.Context, env *environment) error {
	deployments := env.client.AppsV1().Deployments(env.namespace)
	made, err := deployments.Create(ctx, deployment("web"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.ObservedGeneration, made.Status.Replicas = 1, 2
	made.Spec.Replicas = ptr.To[int32](7)
	status, err := deployments.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	scale, err := deployments.GetScale(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	read := scale.DeepCopy()
	scale.Spec.Replicas = 3
	scaled, err := deployments.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	stale := &autoscalingv1.Scale{ObjectMeta: read.ObjectMeta, Spec: autoscalingv1.ScaleSpec{Replicas: 4}}
	_, conflict := deployments.UpdateScale(ctx, "web", stale, metav1.UpdateOptions{})
	pods := env.client.CoreV1().Pods(env.namespace)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	if pod, err = pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: env.namespace}}
	evicted := pods.EvictV1(ctx, eviction)
	return first(
		expect(*status.Spec.Replicas == 0 && status.Status.Replicas == 2 && status.Generation == 1,
			"status written and nothing else, got %v", status.Spec.Replicas),
		expect(read.Spec.Replicas == 0 && read.Status.Replicas == 2 && read.Status.Selector == "app=web", "the scale, got %v", read),
		expect(scaled.Spec.Replicas == 3, "3 replicas, got %v", scaled.Spec),
		expect(apierrors.IsConflict(conflict), "Conflict, got %v", conflict),
		expect(pod.Status.Phase == corev1.PodPending && pod.Status.QOSClass == corev1.PodQOSBestEffort, "a pending pod, got %v", pod.Status),
		expect(evicted == nil, "an eviction, got %v", evicted),
	)
}
