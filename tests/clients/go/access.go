package main

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// access acts as the namespace's default service account, by its token and by impersonation, within one role.
func access(ctx context.Context, env *environment) error {
	err := eventually(ctx, "the namespace's default service account", func(ctx context.Context) (bool, error) {
		_, err := env.client.CoreV1().ServiceAccounts(env.namespace).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	if err := mayReadConfigMaps(ctx, env, "default"); err != nil {
		return err
	}
	token, err := env.client.CoreV1().ServiceAccounts(env.namespace).CreateToken(ctx, "default",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	bearer := rest.AnonymousClientConfig(env.config)
	bearer.BearerToken = token.Status.Token
	impersonating := rest.CopyConfig(env.config)
	impersonating.Impersonate.UserName = "system:serviceaccount:" + env.namespace + ":default"
	for _, config := range []*rest.Config{bearer, impersonating} {
		if err := actsInItsRole(ctx, config, env.namespace); err != nil {
			return err
		}
	}
	bearer.BearerToken = "guessed"
	stranger, err := kubernetes.NewForConfig(bearer)
	if err != nil {
		return err
	}
	_, refused := stranger.CoreV1().ConfigMaps(env.namespace).List(ctx, metav1.ListOptions{})
	return expect(apierrors.IsUnauthorized(refused), "Unauthorized, got %v", refused)
}

func mayReadConfigMaps(ctx context.Context, env *environment, account string) error {
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}}},
	}
	if _, err := env.client.RbacV1().Roles(env.namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: env.namespace}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
	}
	_, err := env.client.RbacV1().RoleBindings(env.namespace).Create(ctx, binding, metav1.CreateOptions{})
	return err
}

func actsInItsRole(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// The authorizer of a real server learns of a new role by a watch of its own.
	err = eventually(ctx, "the role to hold", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsForbidden(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	_, forbidden := client.CoreV1().ConfigMaps(namespace).Create(ctx,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
	who, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	may := func(verb string) (bool, error) {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: "configmaps"},
		}}
		review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		return err == nil && review.Status.Allowed, err
	}
	mayList, err := may("list")
	if err != nil {
		return err
	}
	mayCreate, err := may("create")
	return first(
		err,
		expect(apierrors.IsForbidden(forbidden), "Forbidden, got %v", forbidden),
		expect(who.Status.UserInfo.Username == "system:serviceaccount:"+namespace+":default", "to be the account, got %v", who.Status),
		expect(mayList && !mayCreate, "list and no create, got %t and %t", mayList, mayCreate),
	)
}
